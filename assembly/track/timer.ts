import { Packet } from "../packet";
import { Connection } from "../table/flow/layout";

/** Restarts a connection's timer with so many seconds (nf_ct_refresh). */
export function refresh(packet: Packet, connection: Connection, seconds: u32): void {
  connection.expires = packet.state.now + <u64>seconds * 1000;
}

/** Ends a connection whose packet is still on its way: nobody finds it any more (nf_ct_kill). */
export function kill(packet: Packet, connection: Connection): void {
  connection.expires = packet.state.now;
}
