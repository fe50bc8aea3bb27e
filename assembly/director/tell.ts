import { EVENT_LED } from "../abi/trace";
import { forwardOf } from "../ipvs/session";
import { Packet } from "../packet";
import { ADDRESS_DST, ADDRESS_SRC, DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { addressOf } from "../table/flow/lookup6";
import { ipvsOf } from "../table/ipvs/layout";
import { recordEnds } from "../trace";

/** Tells what IPVS does to a packet of a session: a LED_ code, with both ends of the session's server side. */
export function tellLed(packet: Packet, session: u32, what: u32): void {
  const ipvs = ipvsOf(packet.state);
  const own = connectionAt(ipvs, session);
  const is6 = packet.family == 6;
  const none = i32x4.splat(0);
  recordEnds(
    packet,
    EVENT_LED,
    what | (forwardOf(packet.state, session) << 8),
    own.replySrc,
    own.dst,
    (own.replyPorts & 0xffff0000) | (own.ports & 0xffff),
    0,
    is6 ? addressOf(ipvs, own, (DIRECTION_REPLY << 1) + ADDRESS_SRC) : none,
    is6 ? addressOf(ipvs, own, (DIRECTION_ORIGINAL << 1) + ADDRESS_DST) : none,
  );
}
