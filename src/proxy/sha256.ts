/** Round constants (FIPS 180-4 §4.2.2). */
const ROUND = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

/** Initial hash value (FIPS 180-4 §5.3.3). */
const INITIAL = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

const BLOCK_LEN = 64;
const schedule = new Int32Array(64);
const encoder = new TextEncoder();

/** Absorbs the 64 octets at `offset` into the eight words of `state`. */
function compress(state: Int32Array, octets: Uint8Array, offset: number): void {
  const w = schedule;
  for (let t = 0, at = offset; t < 16; t += 1, at += 4) {
    w[t] =
      ((octets[at] as number) << 24) |
      ((octets[at + 1] as number) << 16) |
      ((octets[at + 2] as number) << 8) |
      (octets[at + 3] as number);
  }
  for (let t = 16; t < 64; t += 1) {
    const x = w[t - 15] as number;
    const y = w[t - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = (w[t - 16] as number) + s0 + (w[t - 7] as number) + s1;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < 64; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + (ROUND[t] as number) + (w[t] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

let padded = new Uint8Array(4 * BLOCK_LEN);

/** Puts the text's UTF-8 octets into `padded` from `start`; returns where they end. */
function encode(text: string, start: number): number {
  const { length } = text;
  // An encoder's call costs as much as a block; names are ASCII.
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return start + encoder.encodeInto(text, padded.subarray(start)).written;
    padded[start + index] = code;
  }
  return start + length;
}

/** Fills `padded` with the message, the one bit, zeros and the length in bits; returns the blocks to absorb. */
function pad(text: string, rest: string): number {
  const most = 3 * (text.length + rest.length) + 2 * BLOCK_LEN;
  if (padded.length < most) padded = new Uint8Array(most);
  const length = encode(rest, encode(text, 0));
  const blocks = Math.ceil((length + 9) / BLOCK_LEN);
  const end = blocks * BLOCK_LEN;
  padded[length] = 0x80;
  padded.fill(0, length + 1, end);
  const bits = length * 8;
  for (let octet = 0; octet < 4; octet += 1) padded[end - 1 - octet] = bits >>> (8 * octet);
  return blocks;
}

const state = new Int32Array(8);

/**
 * SHA-256 (FIPS 180-4) of the UTF-8 octets of two texts, one after the other (less than 512 MiB), as eight big-endian
 * words. The array is reused by the next call. Written here because this part also runs where there is no
 * node:crypto, and the browsers' own digest is asynchronous.
 */
export function sha256(text: string, rest = ""): Int32Array {
  const blocks = pad(text, rest);
  state.set(INITIAL);
  for (let block = 0; block < blocks; block += 1) compress(state, padded, block * BLOCK_LEN);
  return state;
}
