/** The machine's random numbers (sfc32), seeded as it seeds them, so that both make the same choices. */
export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9 | 0;
  #d = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = 0;
    for (let round = 0; round < 15; round++) this.draw();
  }

  /** 32 bits, signed. */
  draw(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }

  /** 0 … n - 1 */
  below(n: number): number {
    return Math.floor(((this.draw() >>> 0) * n) / 2 ** 32);
  }
}
