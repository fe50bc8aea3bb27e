import type { Ip } from "../net/ip.js";
import type { Frontend } from "../proxy/frontends.js";
import { serverKey } from "../ruleset/identity.js";
import { printNetmask } from "../ruleset/ipvs-save.js";
import type { Ground } from "./ground.js";
import { FIRST } from "./packet.js";
import { questionOf } from "./question.js";
import type { Facts } from "./side.js";
import type { Source } from "./source.js";
import type { Target } from "./target.js";
import type { Topic } from "./topic.js";
import type { Return } from "./visit.js";

/** A port on both sides, of which one at least remembers its clients. */
export interface AffinePort {
  readonly frontends: readonly [Frontend, Frontend];
  /** How long on each side, in seconds; undefined where it does not. */
  readonly seconds: readonly [number | undefined, number | undefined];
  /** Which clients each side takes for one, as IPVS' netmask says; undefined where each is its own. */
  readonly netmasks: readonly [string | undefined, string | undefined];
  /** Only one side's Services are known: the other's rules are to do the same. */
  readonly isOneSided: boolean;
}

/** How a side remembers a port's clients: in mode ipvs as its virtual server says, which may be another than its Service. */
function memoryOf({ ruleset }: Facts): (frontend: Frontend | undefined) => {
  readonly seconds: number | undefined;
  readonly netmask: string | undefined;
} {
  const servers = new Map(ruleset.ipvs?.servers.map((server) => [serverKey(server), server]));
  return (frontend) => {
    const { clusterIP: address, protocol, port } = frontend ?? {};
    const isWhole = address !== undefined && protocol !== undefined && port !== undefined;
    const server = isWhole ? servers.get(serverKey({ address, protocol, port })) : undefined;
    if (server === undefined) return { seconds: frontend?.affinitySeconds, netmask: undefined };
    const { persistence: seconds } = server;
    return { seconds, netmask: seconds === undefined ? undefined : printNetmask(server) };
  };
}

/** Ports that both sides serve in the same way, and that remember their clients on one of them at least. */
export function affinePorts({ sides: [a, b] }: Ground): readonly AffinePort[] {
  const [one, two] = a.cluster === undefined ? [b, a] : [a, b];
  const isOneSided = two.cluster === undefined;
  const namesakes = new Map(
    two.served.map(({ frontend }) => [`${frontend.name} ${frontend.protocol}`, frontend]),
  );
  const [ofOne, ofTwo] = [memoryOf(one), memoryOf(two)];
  return one.served.flatMap(({ frontend }) => {
    const other = isOneSided ? frontend : namesakes.get(`${frontend.name} ${frontend.protocol}`);
    const [own, others] = [ofOne(frontend), isOneSided ? ofOne(other) : ofTwo(other)];
    const seconds = [own.seconds, others.seconds] as const;
    const isTold = seconds.some((one) => one !== undefined);
    if (!isTold || other?.clusterIP !== frontend.clusterIP) return [];
    const netmasks = [own.netmask, others.netmask] as const;
    return [{ frontends: [frontend, other] as const, seconds, netmasks, isOneSided }];
  });
}

type Way = Pick<Target, "place" | "address" | "port">;

/** Addresses that lead to a port beside its ClusterIP, for everybody. */
function waysTo(frontend: Frontend, primary: Ip | undefined): readonly Way[] {
  const { vips, externalIPs, nodePort, port, sourceRanges, externalPolicyLocal } = frontend;
  if (externalPolicyLocal) return [];
  const open = sourceRanges.length === 0 ? vips : [];
  return [
    ...externalIPs.map((address) => ({ place: "external IP" as const, address, port })),
    ...(nodePort === 0 || primary === undefined
      ? []
      : [{ place: "nodePort" as const, address: primary, port: nodePort }]),
    ...open.map((address) => ({ place: "load balancer address" as const, address, port })),
  ];
}

/** The first that both sides have. */
function otherWay({ frontends: [a, b] }: AffinePort, { sides }: Ground): Way | undefined {
  const known = waysTo(b, sides[1].ownAddresses[0]);
  return waysTo(a, sides[0].ownAddresses[0]).find((way) =>
    known.some(({ address, port }) => way.address === address && way.port === port),
  );
}

/** How long sides remember clients: both as rules do, or both as IPVS does; or the one so, the other so. */
export type Terms = "rules" | "ipvs" | "mixed";

/** When a client comes again, and whether it is connected until then. */
type Time = Pick<Return, "seconds" | "isInUse" | "topic">;

/**
 * When both sides' terms show: rules of which no Service tells are asked within, at the end of and past the term. IPVS
 * remembers a client for as long as it is connected, too: by the end of the longer term that is over, but for a client that is
 * connected all the time, which rules forget.
 */
function timesToTell({ isOneSided }: AffinePort, a: number, b: number, terms: Terms): readonly Time[] {
  const past = Math.min(a, b) + 1;
  const alone = (seconds: number): Time => ({ seconds, isInUse: false, topic: "affinity" });
  if (terms === "mixed") {
    const connected: Time = { seconds: Math.max(a, b) + 1, isInUse: true, topic: "affinity-refresh" };
    return a === b ? [connected] : [alone(past), connected];
  }
  if (isOneSided) return [1, a, past].map(alone);
  if (a === b) return [];
  return [alone(terms === "ipvs" ? Math.max(a, b) - 1 : past)];
}

/** One of a client's network, which IPVS may take for the client. */
function neighbour(client: Ip): Ip {
  return typeof client === "number" ? client - 1 : client - 1n;
}

/** How a client may come again to tell both sides apart. */
export function returnsTo(port: AffinePort, ground: Ground, terms: Terms): readonly Return[] {
  const client = ground.outside[0];
  if (client === undefined) return [];
  const { protocol, name: service, clusterIP, port: number } = port.frontends[0];
  const source = { asker: "outside", address: client } as const;
  const target = { kind: FIRST[protocol], service, isUnknownPort: false };
  const plain = { ...target, place: "ClusterIP", address: clusterIP, port: number } as const;
  const other = otherWay(port, ground);
  const first = questionOf(source, plain);
  const [a, b] = port.seconds;
  const apart = 2 * Math.max(a ?? 0, b ?? 0) + 2;
  const again = (to: Target, time: Time, from: Source = source): Return => {
    return { first, second: questionOf(from, to, true), protocol, apart, ...time };
  };
  const soon = (topic: Topic): Time => ({ seconds: 1, isInUse: false, topic });
  const near = { ...source, address: neighbour(client) };
  const shared = port.netmasks[0] === port.netmasks[1] ? [] : [again(plain, soon("affinity"), near)];
  if (a === undefined || b === undefined) return [again(plain, soon("affinity")), ...shared];
  return [
    ...timesToTell(port, a, b, terms).map((time) => again(plain, time)),
    ...shared,
    ...(other === undefined ? [] : [again({ ...target, ...other }, soon("affinity-scope"))]),
  ];
}
