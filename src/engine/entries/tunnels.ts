import { TUNNEL_GENEVE, TUNNEL_VXLAN, TUNNELS_MAX } from "../../../assembly/abi/entry.js";
import type { Interface } from "../../ruleset/routes.js";

/** A tunnel device as the machine takes it. */
export interface TunnelEntry {
  /** TUNNEL_ code. */
  readonly kind: number;
  readonly port: number;
  readonly vni: number;
  /** Number of the interface that packets go on from. */
  readonly in: number;
}

/** The devices by which tunnelled packets come in. TypeError for two that a kernel would not hold side by side. */
export function tunnelEntries(interfaces: readonly Interface[]): readonly TunnelEntry[] {
  const entries = interfaces.flatMap(({ vxlan, geneve }, index): TunnelEntry[] => [
    ...(vxlan === undefined ? [] : [{ kind: TUNNEL_VXLAN, port: vxlan.port, vni: vxlan.vni, in: index + 1 }]),
    ...(geneve === undefined
      ? []
      : [{ kind: TUNNEL_GENEVE, port: geneve.port, vni: geneve.vni, in: index + 1 }]),
  ]);
  if (entries.length > TUNNELS_MAX)
    throw new TypeError(`The ruleset has ${entries.length} tunnel devices; leave at most ${TUNNELS_MAX}.`);
  for (const one of entries) {
    const rival = entries.find((other) => other !== one && isRival(one, other));
    if (rival === undefined) continue;
    const names = [one, rival].map((entry) => interfaces[entry.in - 1]?.name).join(" and ");
    throw new TypeError(
      `The tunnel devices ${names} listen for the same packets: give them different ports or VNIs.`,
    );
  }
  return entries;
}

/** A port is of one kind, and a VNI behind it of one device. */
function isRival(a: TunnelEntry, b: TunnelEntry): boolean {
  return a.port === b.port && (a.kind !== b.kind || a.vni === b.vni);
}
