import { IMAGE_MAGIC, IMAGE_VERSION } from "../../assembly/abi/image.js";
import { InputError } from "../diagnostics.js";
import type { Ruleset } from "../ruleset/ruleset.js";

/**
 * An image file: five little-endian words (magic, version, octets of the image, octets of the ruleset, CRC-32 of
 * what follows), the image, and its ruleset as JSON, by which a loaded engine knows its numbers' names.
 */
const HEAD_LEN = 20;

export interface ImageFile {
  readonly image: Uint8Array;
  readonly ruleset: Ruleset;
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

export function writeImageFile(image: Uint8Array, ruleset: Ruleset): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(ruleset, replacer));
  const file = new Uint8Array(HEAD_LEN + image.length + text.length);
  file.set(image, HEAD_LEN);
  file.set(text, HEAD_LEN + image.length);
  const head = [IMAGE_MAGIC, IMAGE_VERSION, image.length, text.length, crc32(file.subarray(HEAD_LEN))];
  const view = new DataView(file.buffer);
  for (const [index, word] of head.entries()) view.setUint32(index * 4, word, true);
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
  const [version = 0, imageLength = 0, textLength = 0, crc = 0] = [4, 8, 12, 16].map((at) =>
    view.getUint32(at, true),
  );
  if (version !== IMAGE_VERSION) {
    refuse(
      `The image has version ${version}, this package reads ${IMAGE_VERSION}. Compile the cluster again.`,
    );
  }
  if (file.length !== HEAD_LEN + imageLength + textLength) {
    refuse(
      `The image is cut: ${file.length} octets of ${HEAD_LEN + imageLength + textLength}. Save it again.`,
    );
  }
  if (crc32(file.subarray(HEAD_LEN)) !== crc)
    refuse("The image's checksum is wrong: it was changed. Save it again.");
  const text = new TextDecoder().decode(file.subarray(HEAD_LEN + imageLength));
  const image = file.subarray(HEAD_LEN, HEAD_LEN + imageLength);
  return { image, ruleset: JSON.parse(text, reviver) as Ruleset };
}
