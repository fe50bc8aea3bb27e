import {
  EXACT_TABLES_MAX,
  KEY_DST,
  KEY_DST_PROTO_DPORT,
  KEY_DST_PROTO_DPORT_SRC,
  KEY_PROTO_DPORT,
  KEY_SRC,
} from "../../abi/entry";
import { halves } from "../../bytes";
import { EXACT_DIRECTORY_AT, Image } from "../../image";
import { Packet } from "../../packet";
import { EXACT_IS6 } from "../exact/layout";
import { exact6Find, exactFind } from "../exact/lookup";

/** Sets and maps by a packet's key. A table has keys of one family; one whose keys have no address serves both. */

function find(packet: Packet, head: u32, isDst: bool, protoPort: u32): u32 {
  const image = packet.image;
  const is6 = load<u32>(image.to(head), EXACT_IS6) != 0;
  if (is6 != (packet.family == 6)) return 0;
  if (!is6) return exactFind(image, head, isDst ? packet.dst : packet.src, protoPort);
  return exact6Find(image, head, halves(isDst ? packet.dst6 : packet.src6), protoPort);
}

function findWithoutAddress(image: Image, head: u32, protoPort: u32): u32 {
  if (load<u32>(image.to(head), EXACT_IS6) == 0) return exactFind(image, head, 0, protoPort);
  return exact6Find(image, head, i32x4.splat(0), protoPort);
}

function hasOneAddress(packet: Packet): bool {
  return packet.src == packet.dst && !v128.any_true(v128.xor(packet.srcHigh, packet.dstHigh));
}

/** The value of the packet's key in an exact table; 0 where there is none, or no such table. */
export function findByKey(packet: Packet, table: u32, key: u32): u32 {
  const image = packet.image;
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + (table & (EXACT_TABLES_MAX - 1)) * 4));
  packet.walked++;
  if (head == 0) return 0;
  const port = (packet.protocol << 16) | packet.dstPort;
  if (key == KEY_DST_PROTO_DPORT) return find(packet, head, true, port);
  if (key == KEY_PROTO_DPORT) return findWithoutAddress(image, head, port);
  if (key == KEY_DST) return find(packet, head, true, 0);
  if (key == KEY_SRC) return find(packet, head, false, 0);
  if (key == KEY_DST_PROTO_DPORT_SRC) return hasOneAddress(packet) ? find(packet, head, true, port) : 0;
  return find(packet, head, false, (packet.protocol << 16) | packet.srcPort);
}
