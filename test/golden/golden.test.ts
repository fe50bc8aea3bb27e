import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/cluster.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { printIp } from "../../src/net/ip.js";
import { tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { printTuple, type Tuple, textOfDestination, textOfSource, tupleOf } from "../frame-tuple.js";
import { type Case, parsePage } from "./page.js";
import { addressOf, podOf, type Receiver, receiverOf, type Sender, senderOf, serviceOf } from "./parties.js";

const MODES = ["iptables", "ipvs", "nftables"] as const;
const TUNNEL_LEN = 50;

/** What became of a case's packet on the node that it came to, without a tunnel around it. */
interface Outcome {
  readonly cluster: Cluster;
  readonly sender: Sender;
  readonly sent: Tuple;
  readonly left: Tuple;
  readonly verdict: string;
  readonly reason: string;
}

function endpointsOf(cluster: Cluster, name: string): string[] {
  const slices = cluster.endpointSlices.filter((slice) => `${slice.namespace}/${slice.serviceName}` === name);
  return slices.flatMap(({ endpoints, ports }) =>
    endpoints
      .filter(({ conditions }) => conditions.ready !== false)
      .flatMap(({ address }) => ports.map(({ port }) => `${printIp(address)}:${port}`)),
  );
}

/** What one phrase of the last column claims. */
function checkPhrase(phrase: string, outcome: Outcome, by: readonly string[]): void {
  const { cluster, sent, left, reason } = outcome;
  const [service = "", chosen] = phrase.split(" → ");
  if (chosen === "any endpoint") expect(endpointsOf(cluster, service)).toContain(textOfDestination(left));
  else if (chosen !== undefined) {
    expect(textOfDestination(left).split(":")[0]).toBe(addressOf(podOf(cluster, chosen)));
    expect(endpointsOf(cluster, service)).toContain(textOfDestination(left));
  } else if (phrase === "dnat") expect(textOfDestination(left)).not.toBe(textOfDestination(sent));
  else if (phrase === "masquerade") expect(left.src).not.toBe(sent.src);
  else if (phrase === "untouched") expect(by).toEqual(["untouched"]);
  else if (phrase.startsWith("port ") && phrase !== "port unreachable")
    expect(left.dstPort).toBe(Number(phrase.slice(5)));
  else if (phrase === "no endpoints") expect(["PORT_UNREACHABLE", "NO_DESTINATION"]).toContain(reason);
  else expect(reason).toBe(phrase.toUpperCase().replaceAll(" ", "_"));
}

/** What is not claimed did not happen. */
function checkRest(outcome: Outcome, by: readonly string[]): void {
  const { sent, left } = outcome;
  if (!by.includes("dnat")) expect(textOfDestination(left)).toBe(textOfDestination(sent));
  if (!by.includes("masquerade")) expect(textOfSource(left)).toBe(textOfSource(sent));
}

function wayIn({ kind }: Sender): { in?: string } {
  if (kind === "node") return {};
  return { in: kind === "pod" ? "cni0" : "eth0" };
}

function frameOf(from: Sender, to: Receiver): Uint8Array {
  const build = to.protocol === "udp" ? udp : tcp;
  return build(`${from.address}:${from.port}`, `${to.address}:${to.port}`);
}

/** The other end of the tunnel delivers what came through it, as it is. */
async function checkArrival(
  cluster: Cluster,
  frame: Uint8Array,
  proxy: (typeof MODES)[number],
): Promise<void> {
  const { dst } = tupleOf(frame);
  const node = cluster.nodes.find(({ internalIPs }) => internalIPs.includes(dst));
  if (node === undefined) throw new Error(`the tunnel leads to ${printIp(dst)}, where no node is`);
  const engine = await Engine.load(compile(cluster, { node: node.name, proxy }), { connections: 63 });
  const { verdict, out, frame: arrived } = engine.follow(frame, { in: "eth0" });
  expect([verdict, out]).toEqual(["FORWARD", "cni0"]);
  expect(printTuple(tupleOf(arrived))).toBe(printTuple(tupleOf(frame.subarray(TUNNEL_LEN))));
  expect(verifyChecksums(arrived)).toMatchObject({ ip: "good", l4: "good" });
}

async function run(cluster: Cluster, one: Case, proxy: (typeof MODES)[number]): Promise<Outcome> {
  const sender = senderOf(cluster, one.from, one.to);
  const sent = frameOf(sender, receiverOf(cluster, one.to));
  const engine = await Engine.load(compile(cluster, { node: sender.node, proxy }), { connections: 63 });
  const { verdict, reason, frame } = engine.follow(sent, wayIn(sender));
  const isTunnelled = frame.length > sent.length;
  if (isTunnelled) await checkArrival(cluster, frame, proxy);
  const left = tupleOf(isTunnelled ? frame.subarray(TUNNEL_LEN) : frame);
  return { cluster, sender, sent: tupleOf(sent), left, verdict, reason };
}

const FOLDERS = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
);

describe.each(FOLDERS.map(({ name }) => name))("golden: %s", (name) => {
  const file = join(import.meta.dirname, name, "cluster.yaml");
  const cluster = Cluster.parse(readFileSync(file, "utf8"), { file });
  const cases = parsePage(readFileSync(join(import.meta.dirname, name, "cases.txt"), "utf8"));

  it("claims no endpoints of Services that have none", () => {
    const empty = cases.filter(({ by, to }) => by.includes("no endpoints") && to.startsWith("svc/"));
    for (const { to } of empty) {
      const service = /^svc\/(.*):/.exec(to)?.[1] ?? "";
      expect([serviceOf(cluster, service).name, endpointsOf(cluster, service)]).toEqual([
        service.split("/")[1],
        [],
      ]);
    }
  });

  const lines = MODES.flatMap((mode) =>
    cases.filter(({ modes }) => modes.includes(mode)).map((one) => ({ ...one, mode })),
  );

  it.each(lines)("$mode, line $line: $from to $to is $verdict", async ({ mode, ...one }) => {
    const outcome = await run(cluster, one, mode);
    expect(outcome.verdict).toBe(one.verdict.toUpperCase());
    for (const phrase of one.by) checkPhrase(phrase, outcome, one.by);
    checkRest(outcome, one.by);
  });
});

describe("golden pages", () => {
  it("are six or more, and each line says what is expected in every mode it names", () => {
    expect(FOLDERS.length).toBeGreaterThanOrEqual(6);
    expect(() => parsePage("a  b  forward")).toThrow("line 1");
    expect(() => parsePage("# c\na  b  forward  dnat (ebpf)")).toThrow("line 2: «ebpf» is no mode");
    expect(parsePage("a  b  forward  s → any endpoint, dnat (ipvs)")).toEqual([
      { line: 1, from: "a", to: "b", verdict: "forward", by: ["s → any endpoint", "dnat"], modes: ["ipvs"] },
    ]);
  });
});
