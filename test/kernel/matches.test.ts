import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HOOK_FILTER, HOOK_FORWARD, HOOK_MANGLE, HOOK_PREROUTING } from "../../assembly/abi/entry.js";
import { writePcap } from "../../src/io/pcap.js";
import type { Family } from "../../src/net/ip.js";
import type { Match, Rule } from "../../src/ruleset/iptables.js";
import { printMatches } from "../../src/ruleset/iptables-match.js";
import { type Arrival, arrivalOf, CASES } from "../engine/entries/match-cases.js";
import { draftsOf, hookOf, routedNode, scopeOf } from "../engine/entries/rule-node.js";
import { cannotRun, inNamespace } from "./namespace.js";

/** A chain whose rules are counted, and where the machine walks it. */
const PREROUTING = {
  table: "mangle",
  chain: "PREROUTING",
  hook: HOOK_PREROUTING,
  type: HOOK_MANGLE,
} as const;
const FORWARD = { table: "filter", chain: "FORWARD", hook: HOOK_FORWARD, type: HOOK_FILTER } as const;
const PLACES = [PREROUTING, FORWARD] as const;

/** Of other hooks, or about objects that there must be. */
const ELSEWHERE: ReadonlySet<string> = new Set(["owner", "nfacct"]);
/** The tools take no `!` of these. */
const PLAIN: ReadonlySet<string> = new Set(["ctdir", "ttl", "hl"]);

/** The protocol that a match is listed with. */
function protocolFor(match: Match): readonly Match[] {
  if (match.kind === "icmp") return [{ kind: "protocol", protocol: "ICMP" }];
  if (match.kind === "icmpv6") return [{ kind: "protocol", protocol: 58 }];
  // The module of UDP lets the greater port stand first.
  if (match.kind === "dport" || (match.kind === "sport" && match.from > match.to))
    return [{ kind: "protocol", protocol: "UDP" }];
  if (match.kind === "sport" || match.kind === "tcp-flags") return [{ kind: "protocol", protocol: "TCP" }];
  return match.kind === "multiport" ? [{ kind: "protocol", protocol: "UDP" }] : [];
}

const casesOf = (family: Family) => Object.values(CASES).filter((one) => (one.family ?? 4) === family);

function rulesOf(family: Family, isEarly: boolean): readonly Rule[] {
  return casesOf(family).flatMap(({ match, onlyPlain, early = false }) => {
    if (ELSEWHERE.has(match.kind) || early !== isEarly) return [];
    const negated = onlyPlain || PLAIN.has(match.kind) ? [] : [{ ...match, invert: true } as Match];
    return [match, ...negated].map((one) => ({ matches: [...protocolFor(one), one] }));
  });
}

function framesOf(family: Family): readonly Arrival[] {
  return casesOf(family).flatMap(({ hits, misses, never = [] }) =>
    [...hits, ...misses, ...never].map(arrivalOf),
  );
}

/** The node of test/engine/entries/rule-node.ts; the other ends of its links are wires. */
const LINKS = ["eth0", "cali1", "cali2"];
const SETUP = `
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  for link in ${LINKS.join(" ")}; do
    ip link add $link address 02:00:00:00:00:02 type veth peer name wire-$link
    sysctl -qw net.ipv6.conf.wire-$link.disable_ipv6=1 net.ipv4.conf.$link.rp_filter=0
    ip link set wire-$link arp off up
    ip link set $link up
  done
  ip addr add 172.18.0.2/24 dev eth0
  ip addr add 10.244.1.1/24 dev cali1
  ip -6 addr add 2001:db8:1::2/64 dev eth0 nodad
  ip -6 addr add 2001:db8:2::1/64 dev cali1 nodad
  ip route add default via 172.18.0.1
  ip -6 route add default via 2001:db8:1::1 dev eth0
  ip neigh replace 172.18.0.1 lladdr 02:00:00:00:00:09 dev eth0
  ip -6 neigh replace 2001:db8:1::1 lladdr 02:00:00:00:00:09 dev eth0`;

/** The rules of both places, each chain with one at its end that counts all packets. */
function listing(family: Family): string {
  const lines = PLACES.flatMap((place) => {
    const rules = rulesOf(family, place === PREROUTING).map(
      (rule) => `-A ${place.chain}${printMatches(rule)}`,
    );
    return [`*${place.table}`, ...rules, `-A ${place.chain}`, "COMMIT"];
  });
  return `${lines.join("\n")}\n`;
}

/** Sends each frame and lists the counters of all rules; it asks again until the frame was seen where it goes. */
function scriptFor(frames: readonly Arrival[], tool: string, folder: string): string {
  const steps = frames.map(([, inNumber], index) => {
    const file = join(folder, `${index}.pcap`);
    return `
      conntrack -F 2>/dev/null
      ${PLACES.map(({ table, chain }) => `${tool} -t ${table} -Z ${chain}`).join("\n")}
      tcpreplay -q -i wire-${LINKS[inNumber - 1]} ${file} >/dev/null 2>&1
      tries=0
      until [ $tries = 20 ] || ${tool}-save -c -t filter | grep -q "^.[1-9].*-A FORWARD *$"; do tries=$((tries + 1)); done
      echo frame ${index}
      ${PLACES.map(({ table }) => `${tool}-save -c -t ${table} | grep -e -A`).join("\n")}`;
  });
  return `${SETUP}\n${tool}-restore < ${join(folder, "rules")}\n${steps.join("\n")}`;
}

/** For each frame, the hits of each place's rules; undefined where it was not seen. */
function kernelHits(family: Family, frames: readonly Arrival[]) {
  const folder = mkdtempSync(join(tmpdir(), "matches-"));
  try {
    writeFileSync(join(folder, "rules"), listing(family));
    for (const [index, [octets]] of frames.entries())
      writeFileSync(
        join(folder, `${index}.pcap`),
        writePcap({ packets: [{ timestampNs: 0n, bytes: octets }] }),
      );
    const tool = family === 6 ? "ip6tables-legacy" : "iptables-legacy";
    const blocks = inNamespace(scriptFor(frames, tool, folder))
      .split(/^frame \d+\n/m)
      .slice(1);
    return blocks.map((block) => PLACES.map(({ chain }) => hitsIn(block, chain)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function hitsIn(block: string, chain: string): readonly boolean[] | undefined {
  const lines = block.split("\n").filter((line) => line.includes(`-A ${chain}`));
  const hits = lines.map((line) => !line.startsWith("[0:"));
  return hits.at(-1) ? hits.slice(0, -1) : undefined;
}

/** For each frame, whether it hits a rule: it is dropped then; undefined for what is not judged. */
async function machineHits(
  family: Family,
  rule: Rule,
  { hook, type }: (typeof PLACES)[number],
  frames: readonly Arrival[],
) {
  const node = await routedNode();
  node.chain(0, ...draftsOf([{ ...rule, target: { kind: "drop" } }], scopeOf(family)));
  node.hook(hookOf(hook, family), 0, type);
  return frames.map(([frame, inNumber]) => {
    node.image.machine.flowsClear(node.image.state);
    const { verdict, reason } = node.one(frame, inNumber);
    return verdict === "PUNT" && reason !== "UNDECIDED" ? undefined : reason === "RULE";
  });
}

const unable = cannotRun(
  "iptables-legacy -L >/dev/null; ip6tables-legacy -L >/dev/null; conntrack -F; tcpreplay -V 2>/dev/null",
);

describe.skipIf(unable)(
  `matches of iptables in the kernel${unable === undefined ? "" : ` (${unable})`}`,
  () => {
    it.each([4, 6] as const)(
      "hit what they hit in the machine: every one, by every packet, of IPv%i",
      async (family) => {
        const frames = framesOf(family);
        const hits = kernelHits(family, frames);
        expect(hits).toHaveLength(frames.length);
        let compared = 0;
        for (const [at, place] of PLACES.entries()) {
          for (const [number, rule] of rulesOf(family, place === PREROUTING).entries()) {
            const ours = await machineHits(family, rule, place, frames);
            const seen = ours.flatMap((hit, index) =>
              hit === undefined || hits[index]?.[at] === undefined ? [] : [{ hit, index }],
            );
            compared += seen.length;
            const differ = seen.filter(({ hit, index }) => hits[index]?.[at]?.[number] !== hit);
            expect(differ, printMatches(rule)).toEqual([]);
          }
        }
        expect(compared).toBeGreaterThan(family === 4 ? 5000 : 200);
      },
      240_000,
    );
  },
);
