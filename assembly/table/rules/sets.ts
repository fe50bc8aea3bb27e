import { EXACT_TABLES_MAX } from "../../abi/entry";
import {
  KEY_DPORT,
  KEY_DST,
  KEY_LENGTH_SHIFT,
  KEY_NET,
  KEY_NOMATCH,
  KEY_SPORT,
  KEY_SRC,
  KEY_TAG_GROUP,
  KEY_TAG_MEMBER,
  KEY_THEN_DST,
  KEY_THEN_NET,
  KEY_THEN_SRC,
} from "../../abi/rule";
import { halves } from "../../bytes";
import { EXACT_DIRECTORY_AT, Image } from "../../image";
import { Packet } from "../../packet";
import { EXACT_IS6 } from "../exact/layout";
import { exact6Find, exactFind } from "../exact/lookup";

/** Sets and maps by a packet's key. A table has keys of one family; one whose keys have no address serves both. */

function isOf6(image: Image, head: u32): bool {
  return load<u32>(image.to(head), EXACT_IS6) != 0;
}

function find(packet: Packet, head: u32, isDst: bool, word: u32): u32 {
  const image = packet.image;
  const is6 = isOf6(image, head);
  if (is6 != (packet.family == 6)) return 0;
  if (!is6) return exactFind(image, head, isDst ? packet.dst : packet.src, word);
  return exact6Find(image, head, halves(isDst ? packet.dst6 : packet.src6), word);
}

function findWithoutAddress(image: Image, head: u32, word: u32): u32 {
  return isOf6(image, head) ? exact6Find(image, head, i32x4.splat(0), word) : exactFind(image, head, 0, word);
}

/** The first so many bits of an address, its halves in their order. */
function prefixOf(address: v128, length: u32): v128 {
  const none: u64 = 0;
  const high = length == 0 ? none : ~none << (64 - min<u32>(length, 64));
  const low = length <= 64 ? none : ~none << (128 - length);
  return v128.and(address, v128.replace_lane<u64>(i64x2.splat(high), 1, low));
}

/** The value of the longest net that holds an address, if that is not one left out. */
function findNet(packet: Packet, head: u32, isDst: bool, word: u32): u32 {
  const image = packet.image;
  const is6 = isOf6(image, head);
  if (is6 != (packet.family == 6)) return 0;
  const address6 = halves(isDst ? packet.dst6 : packet.src6);
  const address = isDst ? packet.dst : packet.src;
  for (let length: i32 = is6 ? 128 : 32; length > 0; length--) {
    const tagged = word | ((<u32>length + 1) << KEY_LENGTH_SHIFT);
    const value = is6
      ? exact6Find(image, head, prefixOf(address6, length), tagged)
      : exactFind(image, head, address & (0xffffffff << (32 - length)), tagged);
    if (value != 0) return value == KEY_NOMATCH ? 0 : value;
  }
  return 0;
}

function hasOneAddress(packet: Packet): bool {
  return packet.src == packet.dst && !v128.any_true(v128.xor(packet.srcHigh, packet.dstHigh));
}

/** The value of a key of two addresses: the first one and the port name a group, the second is in it or not. */
function findPair(packet: Packet, head: u32, key: u32, isDst: bool, port: u32): u32 {
  const isSecondDst = (key & KEY_THEN_DST) != 0;
  const isOne = isSecondDst == isDst || hasOneAddress(packet);
  if ((key & KEY_THEN_NET) == 0 && isOne) return find(packet, head, isDst, port);
  const group = find(packet, head, isDst, port | KEY_TAG_GROUP);
  if (group == 0) return 0;
  if ((key & KEY_THEN_NET) != 0) return findNet(packet, head, isSecondDst, group);
  return find(packet, head, isSecondDst, group | KEY_TAG_MEMBER);
}

function portOf(packet: Packet, key: u32): u32 {
  if ((key & (KEY_SPORT | KEY_DPORT)) == 0) return 0;
  return (packet.protocol << 16) | ((key & KEY_DPORT) != 0 ? packet.dstPort : packet.srcPort);
}

/** The value of the packet's key (KEY_) in an exact table; 0 where there is none, or no such table. */
export function findByKey(packet: Packet, table: u32, key: u32): u32 {
  const image = packet.image;
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + (table & (EXACT_TABLES_MAX - 1)) * 4));
  packet.walked++;
  if (head == 0) return 0;
  const port = portOf(packet, key);
  const isDst = (key & KEY_DST) != 0;
  if ((key & (KEY_SRC | KEY_DST)) == 0) return findWithoutAddress(image, head, port);
  if ((key & (KEY_THEN_SRC | KEY_THEN_DST)) != 0) return findPair(packet, head, key, isDst, port);
  return (key & KEY_NET) != 0 ? findNet(packet, head, isDst, port) : find(packet, head, isDst, port);
}
