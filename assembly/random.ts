import { Image } from "./image";

/**
 * Every random choice of the machine: sfc32 (Doty-Humphrey, PractRand), its four words of state in the image, so
 * that equal images draw equally.
 */
export function draw(image: Image): u32 {
  const a = image.random0;
  const b = image.random1;
  const c = image.random2;
  const sum = a + b + image.random3++;
  image.random0 = b ^ (b >> 9);
  image.random1 = c + (c << 3);
  image.random2 = rotl<u32>(c, 21) + sum;
  return sum;
}

/** A draw in 0 … n - 1, as the kernel scales one: floor(draw * n / 2^32) (reciprocal_scale). */
export function drawBelow(image: Image, n: u32): u32 {
  return <u32>((<u64>draw(image) * n) >> 32);
}

export function seed(image: Image, low: u32, high: u32): void {
  image.random0 = low;
  image.random1 = high;
  image.random2 = 0x9e3779b9;
  image.random3 = 1;
  for (let round = 0; round < 15; round++) draw(image);
}
