import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ETH_LEN, IP4_CHECKSUM, IP4_ID } from "../../assembly/abi/wire.js";
import { Engine } from "../../src/engine/engine.js";
import { parsePcap, writePcap } from "../../src/io/pcap.js";
import type { Family } from "../../src/net/ip.js";
import { printPacket } from "../../src/packet/print.js";
import { rulesetFromDump } from "../../src/ruleset/node-dump.js";
import { type Asked, askedOf, KINDS, sentinels } from "./asked-frames.js";
import { cannotRun, inNamespace } from "./namespace.js";

/** A node between the world behind eth0 and Pods behind cali1, whose wire takes less. */
const LINKS = ["eth0", "cali1"] as const;
const NODE = `
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0
  sysctl -qw net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_ratemask=0
  sysctl -qw net.ipv6.icmp.ratelimit=0 net.ipv6.icmp.ratemask=255 net.ipv4.conf.default.send_redirects=0
  sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
  ip link set lo up
  for link in ${LINKS.join(" ")}; do
    ip link add $link address 02:00:00:00:00:02 type veth peer name wire-$link
    sysctl -qw net.ipv6.conf.wire-$link.disable_ipv6=1
    ip link set wire-$link arp off up
    ethtool -K $link tx off >/dev/null
    ip link set $link up
  done
  ip link set cali1 mtu 1400
  ip addr add 172.18.0.2/24 dev eth0
  ip addr add 10.244.1.1/24 dev cali1
  ip -6 addr add 2001:db8:1::2/64 dev eth0 nodad
  ip -6 addr add 2001:db8:2::1/64 dev cali1 nodad
  ip route add default via 172.18.0.1
  ip -6 route add default via 2001:db8:1::1 dev eth0
  ip neigh replace 172.18.0.1 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
  ip neigh replace 10.244.1.9 lladdr 02:00:00:00:00:19 dev cali1 nud permanent
  ip -6 neigh replace 2001:db8:1::1 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
  ip -6 neigh replace 2001:db8:2::9 lladdr 02:00:00:00:00:19 dev cali1 nud permanent`;

/** Rules by a packet's destination port, which says how it is refused; port 81 of the node is one of a Pod. */
function listing(family: Family): string {
  const vip = family === 4 ? "172.18.0.2" : "2001:db8:1::2";
  const pod = family === 4 ? "10.244.1.9" : "[2001:db8:2::9]";
  const kinds = KINDS[family].flatMap((kind, index) =>
    ["tcp", "udp", "sctp"].flatMap((protocol) => {
      if (kind === "tcp-reset" && protocol !== "tcp") return [];
      const refuses = `-p ${protocol} -m ${protocol} --dport ${1000 + index} -j REJECT --reject-with ${kind}`;
      return [`-A INPUT ${refuses}`, `-A FORWARD ${refuses}`];
    }),
  );
  const all = family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  const icmp = family === 4 ? "icmp" : "ipv6-icmp";
  const others = [icmp, "89", "gre"].map((one) => `-A FORWARD -p ${one} -j REJECT --reject-with ${all}`);
  const dnat = ["tcp", "udp", "sctp"].map(
    (one) => `-A PREROUTING -d ${vip} -p ${one} -m ${one} --dport 81 -j DNAT --to-destination ${pod}:1000`,
  );
  // What is not refused ends here, but for the last packet.
  const rest = ["-A FORWARD -p udp -m udp --dport 9 -j ACCEPT", "-A FORWARD -j DROP", "-A INPUT -j DROP"];
  return ["*nat", ...dnat, "COMMIT", "*filter", ...kinds, ...others, ...rest, "COMMIT", ""].join("\n");
}

/** Sends frames one wire after another and listens at both, until a last packet has come through either way. */
function scriptFor(folder: string, tool: string): string {
  const at = (name: string) => join(folder, name);
  const listen = LINKS.map((link) => {
    const log = at(`${link}.log`);
    return `
      tcpdump -U --immediate-mode -Q in -s 2000 -B 8192 -i wire-${link} -w ${at(`${link}.out`)} 2>${log} &
      listeners="$listeners $!"
      until grep -q listening ${log}; do :; done`;
  });
  const send = LINKS.map((link) => `tcpreplay -q -t -i wire-${link} ${at(`${link}.in`)} >/dev/null 2>&1`);
  const wait = LINKS.map((link) => {
    const file = at(`${link}.out`);
    return `tries=0; until [ $tries = 200 ] || tcpdump -nr ${file} dst port 9 2>/dev/null | grep -q .; do tries=$((tries + 1)); done`;
  });
  return `${NODE}
    ${tool}-restore < ${at("rules")}
    ${listen.join("\n")}
    ${send.join("\n")}
    ${wait.join("\n")}
    kill $listeners
    wait || true
    for list in "-d addr" "route" "-6 route" "neigh"; do ip $list > "${at("ip")} $list"; done
    ${tool}-save > ${at("saved")}`;
}

interface Heard {
  /** By the wire's name, in their order. */
  readonly answers: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly engine: Engine;
}

/** A kernel tells its neighbours of its own addresses, too. */
const isToAll = (frame: Uint8Array) => ((frame[0] ?? 0) & 1) !== 0;
const isSentinel = (frame: Uint8Array) => printPacket(frame).includes(".9: UDP");

/** What the kernel sends about frames, and the machine as the kernel's own tools tell of the node. */
async function askKernel(family: Family, asked: readonly Asked[]): Promise<Heard> {
  const folder = mkdtempSync(join(tmpdir(), "answers-"));
  const read = (name: string) => ({ file: name, text: readFileSync(join(folder, name), "utf8") });
  try {
    writeFileSync(join(folder, "rules"), listing(family));
    for (const link of LINKS) {
      const frames = [...asked.filter(({ by }) => by === link), ...sentinels(family, link)];
      const packets = frames.map(({ frame }) => ({ timestampNs: 0n, bytes: frame }));
      writeFileSync(join(folder, `${link}.in`), writePcap({ packets }));
    }
    inNamespace(scriptFor(folder, family === 6 ? "ip6tables-legacy" : "iptables-legacy"));
    const ruleset = rulesetFromDump({
      "iptables-save": family === 4 ? read("saved") : { file: "none", text: "*filter\nCOMMIT\n" },
      ...(family === 6 ? { "ip6tables-save": read("saved") } : {}),
      "ip-addr": read("ip -d addr"),
      "ip-route": [read("ip route"), read("ip -6 route")],
      "ip-neigh": read("ip neigh"),
    });
    const answers = LINKS.map((link) => {
      const { packets } = parsePcap(readFileSync(join(folder, `${link}.out`)), link);
      const heard = packets.map(({ bytes }) => bytes).filter((frame) => !isToAll(frame));
      expect(heard.filter(isSentinel)).toHaveLength(1);
      return [link, heard.filter((frame) => !isSentinel(frame))] as const;
    });
    return { answers: Object.fromEntries(answers), engine: await Engine.load(ruleset) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Without what a kernel is free to choose: IPv4's id, with the checksum over it, and IPv6's flow label. */
function withoutChoice(frame: Uint8Array, family: Family): string {
  const octets = Buffer.from(frame);
  const isReset = octets[ETH_LEN + (family === 4 ? 9 : 6)] === 6;
  if (family === 4 && !isReset)
    for (const at of [IP4_ID, IP4_CHECKSUM]) octets.fill(0, ETH_LEN + at, ETH_LEN + at + 2);
  if (family === 6) octets.writeUInt32BE((octets.readUInt32BE(ETH_LEN) & ~0xfffff) >>> 0, ETH_LEN);
  return `${printPacket(frame)} ${octets.toString("hex")}`;
}

/** What the machine sends about each frame. */
function answersOf(engine: Engine, asked: readonly Asked[], link: string): Uint8Array[] {
  const batch = engine.batch(1);
  return asked.flatMap(({ frame, by }) => {
    batch.set(0, frame, engine.interfaceNumber(frame, by));
    engine.run(batch);
    const out = engine.answer(batch, 0)
      ? engine.numbering.interfaces[(batch.outs[0] ?? 0) - 1]?.name
      : undefined;
    return out === link ? [batch.frame(0).slice()] : [];
  });
}

const unable = cannotRun(
  "iptables-legacy -L >/dev/null; ip6tables-legacy -L >/dev/null; tcpreplay -V 2>/dev/null; tcpdump --version; ethtool --version",
);

describe.skipIf(unable)(`answers of the kernel${unable === undefined ? "" : ` (${unable})`}`, () => {
  it.each([4, 6] as const)(
    "are the machine's, octet for octet, of every kind of REJECT and of what a router refuses, of IPv%i",
    async (family) => {
      const asked = askedOf(family);
      const { answers, engine } = await askKernel(family, asked);
      const total = LINKS.reduce((sum, link) => sum + (answers[link]?.length ?? 0), 0);
      expect(total).toBeGreaterThan(family === 4 ? 100 : 80);
      expect(total).toBeLessThan(asked.length);
      const order = LINKS.flatMap((link) => asked.filter(({ by }) => by === link));
      for (const link of LINKS) {
        const ours = answersOf(engine, order, link).map((frame) => withoutChoice(frame, family));
        engine.clearConnections();
        expect(ours).toEqual(answers[link]?.map((frame) => withoutChoice(frame, family)));
      }
    },
    120_000,
  );
});
