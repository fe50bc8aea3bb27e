/** The letters of names made by Kubernetes: no vowels, so no words (apimachinery util/rand). */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/**
 * A short name suffix that depends on the text alone: where a control plane draws letters at random, the model
 * must give equal names for equal input.
 */
export function shortHash(text: string, length: number): string {
  let name = "";
  let state = fnv1a(text);
  for (let index = 0; index < length; index++) {
    name += LETTERS[state % LETTERS.length];
    state = mix(state + index + 1);
  }
  return name;
}

/** FNV-1a over UTF-16 units, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

/** The finalizer of MurmurHash3, 32 bits: a bijection that spreads every bit. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
