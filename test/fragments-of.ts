import { internetChecksum } from "../src/packet/checksum.js";

/** A fragment to make of a frame's packet: data from an offset on, as long as it is said to be. */
export interface FragmentDraft {
  readonly offset: number;
  readonly length: number;
  readonly more: boolean;
  readonly df?: boolean;
  readonly ecn?: number;
  readonly id?: number;
}

const ETH = 14;
const IP6 = 40;
const u16 = (value: number) => [(value >> 8) & 255, value & 255];

function dataOf(data: Uint8Array, { offset, length }: FragmentDraft): Uint8Array {
  const octets = new Uint8Array(length).fill(0xee);
  octets.set(data.subarray(offset, offset + length));
  return octets;
}

function fragment4(frame: Uint8Array, draft: FragmentDraft): Uint8Array {
  const { offset, more, df = false, ecn, id } = draft;
  const head = ETH + ((frame[ETH] ?? 0) & 15) * 4;
  const octets = Uint8Array.from(
    Buffer.concat([frame.subarray(0, head), dataOf(frame.subarray(head), draft)]),
  );
  const ip = octets.subarray(ETH, head);
  ip.set(u16(octets.length - ETH), 2);
  if (id !== undefined) ip.set(u16(id), 4);
  ip.set(u16((more ? 0x2000 : 0) | (df ? 0x4000 : 0) | (offset / 8)), 6);
  if (ecn !== undefined) ip[1] = ((ip[1] ?? 0) & ~3) | ecn;
  ip.fill(0, 10, 12);
  ip.set(u16(internetChecksum(ip)), 10);
  return octets;
}

function fragment6(frame: Uint8Array, draft: FragmentDraft): Uint8Array {
  const { offset, more, ecn, id = 1 } = draft;
  const head = ETH + IP6;
  const next = frame[ETH + 6] ?? 0;
  const extension = [next, 0, ...u16(offset | (more ? 1 : 0)), 0, 0, ...u16(id)];
  const data = dataOf(frame.subarray(head), draft);
  const octets = Uint8Array.from(Buffer.concat([frame.subarray(0, head), Uint8Array.from(extension), data]));
  octets[ETH + 6] = 44;
  octets.set(u16(octets.length - head), ETH + 4);
  if (ecn !== undefined) octets[ETH + 1] = ((octets[ETH + 1] ?? 0) & ~0x30) | (ecn << 4);
  return octets;
}

/** One fragment of a frame's IPv4 packet, or of its IPv6 packet without extension headers. */
export function fragmentOf(frame: Uint8Array, draft: FragmentDraft): Uint8Array {
  return frame[12] === 0x86 ? fragment6(frame, draft) : fragment4(frame, draft);
}

/** Fragments of data of these lengths, one behind the other, the last of what is left. */
export function fragmentsOf(
  frame: Uint8Array,
  lengths: readonly number[],
  more: Partial<FragmentDraft> = {},
): Uint8Array[] {
  const head = frame[12] === 0x86 ? ETH + IP6 : ETH + ((frame[ETH] ?? 0) & 15) * 4;
  const total = frame.length - head;
  const drafts: FragmentDraft[] = [];
  let offset = 0;
  for (const length of [...lengths, total]) {
    if (offset >= total) break;
    const size = Math.min(length, total - offset);
    drafts.push({ offset, length: size, more: offset + size < total });
    offset += size;
  }
  return drafts.map((draft) => fragmentOf(frame, { ...draft, ...more }));
}
