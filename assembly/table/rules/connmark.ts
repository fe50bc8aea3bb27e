import { CONNMARK_RESTORE, CONNMARK_SAVE } from "../../abi/rule";
import { Packet } from "../../packet";
import { connectionAt } from "../flow/lookup";
import { connmarkOf, hasConnection } from "./field";

/** Until the connection is open, its mark goes with the packet. */
function setConnmark(packet: Packet, mark: u32): void {
  packet.connmark = mark;
  if (packet.flow != 0) connectionAt(packet.state, packet.flow >> 1).mark = mark;
}

/** TARGET_CONNMARK (xt_connmark.c); nothing for a packet without a connection. */
export function changeConnmark(packet: Packet, words: usize): void {
  if (!hasConnection(packet)) return;
  const code = load<u32>(words);
  const a = load<u32>(words, 4);
  const b = load<u32>(words, 8);
  const mark = connmarkOf(packet);
  if (code == CONNMARK_RESTORE) packet.mark = (packet.mark & ~a) ^ (mark & b);
  else if (code == CONNMARK_SAVE) setConnmark(packet, (mark & ~b) ^ (packet.mark & a));
  else setConnmark(packet, (mark & ~b) ^ a);
}
