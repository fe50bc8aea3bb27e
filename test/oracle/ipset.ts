import type { Ip } from "../../src/net/ip.js";
import { prefixContains } from "../../src/net/prefix.js";
import type { IpSet, IpSetEntry } from "../../src/ruleset/ipset.js";
import type { Side } from "../../src/ruleset/iptables.js";

/** What an ipset is asked for. */
export interface SetPacket {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: "TCP" | "UDP";
  readonly srcPort: number;
  readonly dstPort: number;
}

/** Whether a packet is in an ipset by these sides, entry by entry: of nets that hold it the longest decides. */
export function isInSet(set: IpSet, sides: readonly Side[], packet: SetPacket): boolean {
  const holding = set.entries.filter((entry) => holds(set.type, entry, sides, packet));
  const longest = holding.toSorted((a, b) => (b.net?.length ?? 0) - (a.net?.length ?? 0))[0];
  return longest !== undefined && longest.nomatch !== true;
}

function holds(type: IpSet["type"], entry: IpSetEntry, sides: readonly Side[], packet: SetPacket): boolean {
  const fields = type.slice(type.indexOf(":") + 1).split(",");
  return fields.every((field, index) => {
    const side = sides[index] ?? "src";
    if (field === "port") {
      const isPort = entry.port === (side === "src" ? packet.srcPort : packet.dstPort);
      return isPort && (type === "bitmap:port" || entry.protocol === packet.protocol);
    }
    if (field === "net") return entry.net !== undefined && prefixContains(entry.net, packet[side]);
    return (index === 0 ? entry.ip : entry.ip2) === packet[side];
  });
}
