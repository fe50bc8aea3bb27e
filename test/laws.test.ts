import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Engine } from "../src/engine/engine.js";
import { icmpEcho, tcp, udp } from "../src/packet/build.js";
import { verifyChecksums } from "../src/packet/checksum.js";
import {
  as6,
  clusterFrom,
  drawnServices,
  engineOf,
  MODES,
  mirrored,
  NODE_IP,
  POD,
  REMOTE_POD,
  type Stack,
  servicesOfEveryKind,
} from "./drawn-cluster.js";
import { WEB } from "./engine/web.js";
import { type Ends, endsOf } from "./frame-tuple.js";
import {
  type Client,
  type DrawnService,
  type Front,
  type Judgement,
  judge,
  type Mode,
} from "./oracle/services.js";
import { Tally } from "./tally.js";

const OUTSIDE = "198.51.100.7";
const TUNNEL_LEN = 50;
/** IPv6 headers have no checksum. */
const GOOD = { ip: expect.stringMatching(/^(good|absent)$/), l4: "good" };

interface Question {
  readonly service: DrawnService;
  readonly front: Front;
  readonly client: Client;
  readonly to: string;
}

/** The addresses of one family around worker-1, and where the other nodes' Pods are. */
interface Realm {
  readonly node: string;
  readonly pod: string;
  readonly remotePod: string;
  readonly outside: string;
  /** What its own Pods' addresses begin with. */
  readonly local: string;
  readonly wayToPods: "flannel.1" | "eth0";
  /** What masquerading gives to the node's own Pods, and to others. */
  readonly sources: { readonly local: string; readonly remote: string };
}

const IP4: Realm = {
  node: NODE_IP,
  pod: POD,
  remotePod: REMOTE_POD,
  outside: OUTSIDE,
  local: "10.244.1.",
  wayToPods: "flannel.1",
  sources: { local: "10.244.1.1", remote: "10.244.1.0" },
};

/** IPv6 goes without a tunnel. */
const IP6: Realm = {
  node: as6(NODE_IP),
  pod: as6(POD),
  remotePod: as6(REMOTE_POD),
  outside: as6(OUTSIDE),
  local: "fd00:10:244:1:",
  wayToPods: "eth0",
  sources: { local: as6("10.244.1.1"), remote: as6(NODE_IP) },
};

/** `10.96.0.10:80`, `[fd00::1]:80` */
function end(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The interface that a client's packets come in by; undefined for the node's own. */
function wayIn({ address, kind }: Client, { local, wayToPods }: Realm): string | undefined {
  if (kind === "node") return undefined;
  if (kind === "outside") return "eth0";
  return address.startsWith(local) ? "cni0" : wayToPods;
}

/** Every Service's every address, asked by every kind of client; Pods that are endpoints themselves among them. */
function questions(services: readonly DrawnService[], realm = IP4): Question[] {
  return services.flatMap((service) => {
    const fronts: [Front, string][] = [
      ["clusterIP", end(service.clusterIP, service.port)],
      ["external", end(service.externalIP, service.port)],
      ["external", end(service.vip, service.port)],
      ["nodePort", end(realm.node, service.nodePort)],
    ];
    const clients: Client[] = [
      { address: realm.node, kind: "node" },
      { address: realm.outside, kind: "outside" },
      ...[realm.pod, realm.remotePod, ...service.endpoints.map(({ address }) => address)].map(
        (address): Client => ({ address, kind: "pod" }),
      ),
    ];
    return fronts.flatMap(([front, to]) => clients.map((client) => ({ service, front, client, to })));
  });
}

/**
 * iptables never asks KUBE-EXTERNAL-SERVICES in OUTPUT (kube-proxy.md §2.2), so the node's own packet to an external
 * address without endpoints leaves untouched, while the other modes refuse it: that one is not judged.
 */
function isJudged({ front, client }: Question, mode: Mode, { verdict }: Judgement): boolean {
  return verdict === "FORWARD" || mode !== "iptables" || client.kind !== "node" || front !== "external";
}

function frameOf(
  tuple: { readonly from: string; readonly to: string; readonly protocol: string },
  flags: string,
) {
  return tuple.protocol === "TCP" ? tcp(tuple.from, tuple.to, { flags }) : udp(tuple.from, tuple.to);
}

/** The packet as its receiver will see it: without the tunnel. */
function innermost(frame: Uint8Array): Uint8Array {
  const { protocol, to } = endsOf(frame);
  return protocol === 17 && to.endsWith(":8472") ? frame.subarray(TUNNEL_LEN) : frame;
}

interface Answer {
  readonly verdict: string;
  readonly out: string | undefined;
  readonly ends: Ends;
}

function ask(engine: Engine, frame: Uint8Array, wayIn: string | undefined): Answer {
  const { verdict, out, frame: left } = engine.follow(frame, wayIn === undefined ? {} : { in: wayIn });
  const { inner, ...outer } = verifyChecksums(left);
  if (verdict === "FORWARD") expect([outer, inner ?? GOOD]).toEqual([GOOD, GOOD]);
  return { verdict, out, ends: endsOf(innermost(left)) };
}

/** Asks a mode's engine, compares with the judgement and, where the packet is sent on, brings an answer back. */
function check(
  engine: Engine,
  mode: Mode,
  realm: Realm,
  question: Question,
  from: string,
  tally: Tally,
): void {
  const { service, front, client, to } = question;
  const { protocol } = service;
  const judgement = judge(mode, service, front, client);
  if (!isJudged(question, mode, judgement)) return;
  const { verdict, ends, out } = ask(engine, frameOf({ from, to, protocol }, "S"), wayIn(client, realm));
  expect(verdict).toBe(judgement.verdict);
  tally.count(`${mode} ${verdict}`);
  if (verdict !== "FORWARD") return;
  const chosen = judgement.endpoints.find((one) => ends.to === end(one.address, service.targetPort));
  if (chosen === undefined) throw new Error(`${ends.to} is no endpoint to choose`);
  const isMasqueraded = judgement.masquerades(chosen);
  const source = realm.sources[chosen.isLocal ? "local" : "remote"];
  if (isMasqueraded) expect(ends.from.startsWith(end(source, 0).slice(0, -1))).toBe(true);
  else expect(ends.from).toBe(from);
  expect(out).toBe(chosen.isLocal ? "cni0" : "eth0");
  const kind = client.address === chosen.address ? "hairpin" : client.kind;
  tally.count(`${isMasqueraded ? "masquerade" : "plain"} ${kind}`);
  const back = ask(
    engine,
    frameOf({ from: ends.to, to: ends.from, protocol }, "SA"),
    chosen.isLocal ? "cni0" : realm.wayToPods,
  );
  expect(back.verdict).toBe(client.kind === "node" ? "LOCAL" : "FORWARD");
  expect([back.ends.from, back.ends.to]).toEqual([to, from]);
}

describe("law: modes agree", () => {
  it.each<[Stack, Realm]>([
    ["IPv4", IP4],
    ["dual", IP4],
    ["dual", IP6],
    ["IPv6", IP6],
  ])(
    "all choose an admitted endpoint, masquerade alike, and bring answers back from the Service's address: %s",
    async (stack, realm) => {
      const tally = new Tally();
      const property = fc.asyncProperty(servicesOfEveryKind, async (services) => {
        const asked = realm === IP6 ? mirrored(services) : services;
        for (const mode of MODES) {
          const engine = await engineOf(services, mode, { stack });
          for (const [index, question] of questions(asked, realm).entries()) {
            const from = end(question.client.address, 40000 + index);
            try {
              check(engine, mode, realm, question, from, tally);
            } catch (error) {
              throw new Error(`${mode}: ${from} (${question.client.kind}) > ${question.to}`, {
                cause: error,
              });
            }
          }
        }
      });
      await fc.assert(property, { numRuns: stack === "IPv4" ? 40 : 30 });
      const verdicts = MODES.flatMap((mode) => [`${mode} FORWARD`, `${mode} REJECT`]);
      tally.expectEach([...verdicts, "iptables DROP", "nftables DROP"], 9);
      const kinds = ["hairpin", "outside", "node", "pod"].map((kind) => `masquerade ${kind}`);
      tally.expectEach([...kinds, "plain outside", "plain pod"], 9);
    },
  );

  it("but for the differences that kube-proxy documents: those alone are judged apart", async () => {
    const differences = new Set<string>();
    const property = fc.property(drawnServices, (services) => {
      for (const { service, front, client } of questions(services)) {
        const [iptables, ipvs, nftables] = MODES.map((mode) => judge(mode, service, front, client));
        expect({ ...nftables, masquerades: 0 }).toEqual({ ...iptables, masquerades: 0 });
        const same =
          iptables?.verdict === ipvs?.verdict &&
          iptables?.endpoints.every((one) => ipvs?.endpoints.includes(one)) &&
          iptables?.endpoints.every((one) => iptables.masquerades(one) === ipvs?.masquerades(one));
        if (same) continue;
        const policy = front === "clusterIP" ? service.internalPolicy : service.externalPolicy;
        const isRemote = client.kind === "pod" && !client.address.startsWith("10.244.1.");
        differences.add(`${policy} ${front} ${client.kind}${isRemote ? " of another node" : ""}`);
      }
    });
    fc.assert(property, { numRuns: 300 });
    // Policy Local, where IPVS prefers local endpoints for everyone, takes others without them, and never masquerades.
    const kinds = ["pod", "pod of another node", "node", "outside"];
    const allowed = ["clusterIP", "external", "nodePort"].flatMap((front) =>
      kinds.map((kind) => `Local ${front} ${kind}`),
    );
    // IPVS' set of hairpins holds the node's own Pods; another node's do not ask this node for a ClusterIP.
    allowed.push("Cluster clusterIP pod of another node");
    expect([...differences].filter((one) => !allowed.includes(one))).toEqual([]);
  });

  // Since 1.27 the access filter of mode ipvs refuses pings too: its sets know ports only (kubernetes/website#41002).
  it.each<[string, Uint8Array, Record<Mode, string>]>([
    [
      "an unknown port of a ClusterIP",
      tcp(`${POD}:1`, "10.96.0.10:81"),
      { iptables: "FORWARD", ipvs: "REJECT", nftables: "REJECT" },
    ],
    [
      "an unallocated ClusterIP",
      tcp(`${POD}:1`, "10.96.0.99:80"),
      { iptables: "FORWARD", ipvs: "FORWARD", nftables: "DROP" },
    ],
    [
      "a ping to a ClusterIP",
      icmpEcho(POD, "10.96.0.10"),
      { iptables: "FORWARD", ipvs: "REJECT", nftables: "REJECT" },
    ],
    [
      "a FIN out of state to a Service",
      tcp(`${POD}:1`, "10.96.0.10:80", { flags: "FA" }),
      { iptables: "DROP", ipvs: "LOCAL", nftables: "FORWARD" },
    ],
    [
      "a SYN+ACK out of state",
      tcp(`${POD}:1`, "10.96.0.10:80", { flags: "SA" }),
      // IPVS asks for a SYN alone (tcp_conn_schedule), and is asked before INVALID packets are dropped.
      { iptables: "DROP", ipvs: "FORWARD", nftables: "FORWARD" },
    ],
    [
      "a nodePort on the bridge's address",
      tcp(`${POD}:1`, "10.244.1.1:30080"),
      { iptables: "FORWARD", ipvs: "FORWARD", nftables: "LOCAL" },
    ],
    [
      "a nodePort on loopback",
      tcp("127.0.0.1:1", "127.0.0.1:30080"),
      { iptables: "FORWARD", ipvs: "LOCAL", nftables: "LOCAL" },
    ],
    [
      "a Pod",
      tcp(`${POD}:1`, "10.244.2.100:80"),
      { iptables: "FORWARD", ipvs: "FORWARD", nftables: "FORWARD" },
    ],
    [
      "the world",
      tcp(`${POD}:1`, "198.51.100.7:80"),
      { iptables: "FORWARD", ipvs: "FORWARD", nftables: "FORWARD" },
    ],
    ["the node", tcp(`${POD}:1`, `${NODE_IP}:22`), { iptables: "LOCAL", ipvs: "LOCAL", nftables: "LOCAL" }],
  ])("%s", async (_, frame, expected) => {
    for (const mode of MODES) {
      const engine = await engineOf([WEB], mode);
      const { from, to } = endsOf(frame);
      const { verdict, ends } = ask(engine, frame, from.startsWith("127.0.0.1:") ? undefined : "cni0");
      expect([mode, verdict]).toEqual([mode, expected[mode]]);
      const isScheduled = mode === "ipvs" && to === "10.96.0.10:80";
      const isService = (to.endsWith(`:${WEB.nodePort}`) || isScheduled) && verdict === "FORWARD";
      if (!isService) expect(ends).toEqual(endsOf(frame));
    }
  });

  it("is tried on clusters that the compiler has nothing to say against", () => {
    expect(clusterFrom([WEB]).diagnostics).toEqual([]);
  });
});
