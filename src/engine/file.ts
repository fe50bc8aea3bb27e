import { IMAGE_MAGIC, IMAGE_VERSION } from "../../assembly/abi/image.js";
import { InputError } from "../diagnostics.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import type { SavedNumbers } from "./live/ruleset.js";

/**
 * An image file: six little-endian words (magic, version, CRC-32 of what follows, octets of the image, of the state and
 * of the text), the image, the state, and as JSON the ruleset with its numbers, by which a loaded engine knows what
 * they stand for.
 */
const HEAD_LEN = 24;
const SUMMED_AT = 12;

export interface ImageFile {
  readonly image: Uint8Array;
  readonly state: Uint8Array;
  readonly ruleset: Ruleset;
  readonly numbers: SavedNumbers;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in Ethernet and gzip (RFC 1952 §8). */
function crc32(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of octets) crc = (CRC_TABLE[(crc ^ octet) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: value.toString() };
  return value instanceof Map ? { $map: [...value] } : value;
}

function reviver(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$bigint" in value) return BigInt(String(value.$bigint));
  return "$map" in value ? new Map(value.$map as [unknown, unknown][]) : value;
}

export function writeImageFile({ image, state, ruleset, numbers }: ImageFile): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify({ ruleset, numbers }, replacer));
  const parts = [image, state, text];
  const lengths = parts.map(({ length }) => length);
  const file = new Uint8Array(HEAD_LEN + lengths.reduce((sum, length) => sum + length));
  let at = HEAD_LEN;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  const view = new DataView(file.buffer);
  for (const [index, word] of [IMAGE_MAGIC, IMAGE_VERSION, 0, ...lengths].entries())
    view.setUint32(index * 4, word, true);
  view.setUint32(SUMMED_AT - 4, crc32(file.subarray(SUMMED_AT)), true);
  return file;
}

function refuse(message: string): never {
  throw new InputError([{ severity: "error", place: { file: "image" }, message }]);
}

/** InputError when the octets are no image file, of another version, cut or changed. */
export function readImageFile(file: Uint8Array): ImageFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEAD_LEN || view.getUint32(0, true) !== IMAGE_MAGIC) {
    refuse("These octets are no packetyard image. Give what engine.save() returned.");
  }
  const [version = 0, crc = 0, imageLength = 0, stateLength = 0, textLength = 0] = [4, 8, 12, 16, 20].map(
    (at) => view.getUint32(at, true),
  );
  if (version !== IMAGE_VERSION) {
    refuse(
      `The image has version ${version}, this package reads ${IMAGE_VERSION}. Compile the cluster again.`,
    );
  }
  const length = HEAD_LEN + imageLength + stateLength + textLength;
  if (file.length !== length) {
    const what = file.length < length ? "is cut" : "has octets behind its end";
    refuse(`The image ${what}: ${file.length} octets, not ${length}. Save it again.`);
  }
  if (crc32(file.subarray(SUMMED_AT)) !== crc)
    refuse("The image's checksum is wrong: it was changed. Save it again.");
  const [stateAt, textAt] = [HEAD_LEN + imageLength, HEAD_LEN + imageLength + stateLength];
  const text = new TextDecoder().decode(file.subarray(textAt));
  const [image, state] = [file.subarray(HEAD_LEN, stateAt), file.subarray(stateAt, textAt)];
  return { image, state, ...(JSON.parse(text, reviver) as Pick<ImageFile, "ruleset" | "numbers">) };
}
