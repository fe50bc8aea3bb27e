import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { type Ip, parseIp6 } from "../../src/net/ip.js";
import type { Ipvs } from "../../src/ruleset/ipvs.js";
import { type IpvsConnection, printIpvsConnections } from "../../src/ruleset/ipvs-connections.js";
import { printIpvsListing } from "../../src/ruleset/ipvs-listing.js";
import { sortIpvs } from "../../src/ruleset/ipvs-order.js";
import { parseIpvs, printIpvs } from "../../src/ruleset/ipvs-save.js";
import { drawnIpvs } from "../ruleset/drawn-ipvs.js";
import { ODD_LINES } from "../ruleset/odd-ipvs-lines.js";
import { runInUml } from "./judge/user-mode-linux.js";
import { cannotRun } from "./namespace.js";

/** IPVSADM_SEED asks others. */
const SEED = Number(process.env.IPVSADM_SEED ?? 20_265);
const DRAWN = 20;
const obstacle = cannotRun("command -v linux.uml && command -v ipvsadm");

/** Debian builds no twos for this kernel. */
const DRAWN_IPVS: readonly Ipvs[] = fc
  .sample(drawnIpvs(5), { numRuns: DRAWN, seed: SEED })
  .map(({ servers }) => ({ servers: servers.filter(({ scheduler }) => scheduler !== "twos") }));

const LISTINGS = ["plain", "stats", "thresholds", "persistent-conn", "tun-info"] as const;
const SEPARATOR = "====\n";

/** What the tool prints of virtual servers that it was given as they are printed here. */
function listings(file: string): string {
  const listed = LISTINGS.map((columns) => `ipvsadm -Ln ${columns === "plain" ? "" : `--${columns}`}`);
  const printed = ["ipvsadm-save -n", ...listed].join(" && printf '====\n' && ");
  return `ipvsadm -C; ipvsadm -R < ${file}
${printed}`;
}

/** The tool prints no thresholds. */
const saved = (ipvs: Ipvs) => printIpvs(sortIpvs(ipvs)).replace(/ -[xy] [0-9]+/g, "");

/** What is there after the tool has read a text to its end, or that it refused a line. */
function opinion(file: string): string {
  return `ipvsadm -C; ipvsadm-restore < ${file} 2>/run/said; [ -s /run/said ] && echo refused; ipvsadm-save -n`;
}

function ours(text: string): string {
  try {
    return saved(parseIpvs(text, "ipvs"));
  } catch (error) {
    if (error instanceof InputError) return "refused";
    throw error;
  }
}

const TRAFFIC = `\
-A -u 10.9.0.1:53 -s rr
-a -u 10.9.0.1:53 -r 10.9.1.1:5353 -m
-A -u 10.9.0.2:53 -s rr -p 7200 -M 255.255.0.0
-a -u 10.9.0.2:53 -r 10.9.1.1:53 -g
-A -u [fd09::1]:53 -s rr
-a -u [fd09::1]:53 -r [fd09:1::1]:5353 -m
-A -t 10.9.0.1:80 -s rr
-a -t 10.9.0.1:80 -r 10.9.1.1:8080 -m
`;

/** Connections of the machine's own, one by one, and what the kernel and the tool say of them. */
function traffic(file: string): string {
  return [
    "ip link add d0 type dummy && ip link set d0 up",
    "ip addr add 10.9.255.1/16 dev d0 && ip -6 addr add fd09::ffff/16 dev d0 nodad",
    `ipvsadm -C; ipvsadm -R < ${file}`,
    'for end in udp/10.9.0.1/53 udp/10.9.0.2/53 udp/fd09::1/53; do bash -c "echo hello >/dev/$end"; done',
    "(bash -c 'echo hello >/dev/tcp/10.9.0.1/80' &) ; until grep -q TCP /proc/net/ip_vs_conn; do :; done",
    "cat /proc/net/ip_vs_conn && printf '====\\n' && ipvsadm -Lnc",
  ].join("; ");
}

const hexAddress = (text: string): Ip => parseIp6(text) ?? Number.parseInt(text, 16);
const hex = (text: string | undefined) => Number.parseInt(text ?? "", 16);

/** A line of /proc/net/ip_vs_conn. */
function readConnection(line: string): IpvsConnection {
  const [protocol, client, clientPort, virtual, virtualPort, end, endPort, state = "", expires] =
    line.split(/\s+/);
  return {
    protocol: protocol as IpvsConnection["protocol"],
    expires: Number(expires),
    state,
    client: hexAddress(client ?? ""),
    clientPort: hex(clientPort),
    virtual: hexAddress(virtual ?? ""),
    virtualPort: hex(virtualPort),
    destination: hexAddress(end ?? ""),
    destinationPort: hex(endPort),
  };
}

const withoutExpiry = (listing: string) => listing.replace(/^(\w+ +)[0-9]+:[0-9]{2} */gm, "$1");

describe(`ipvsadm in user-mode Linux, seed ${SEED}`, () => {
  it.skipIf(obstacle !== undefined)(
    `takes what is printed here, lists it octet for octet, and refuses what is refused here${obstacle ?? ""}`,
    { timeout: 300_000 },
    async () => {
      const folder = mkdtempSync(`${tmpdir()}/packetyard-ipvsadm-`);
      const write = (name: string, text: string) => {
        writeFileSync(`${folder}/${name}`, text);
        return `${folder}/${name}`;
      };
      const scripts = [
        ...DRAWN_IPVS.map((ipvs, index) => listings(write(`drawn-${index}`, printIpvs(ipvs)))),
        ...ODD_LINES.map((text, index) => opinion(write(`odd-${index}`, `${text}\n`))),
        traffic(write("traffic", TRAFFIC)),
      ];
      const told: string[] = [];
      const file = write("all", `${scripts.join("\necho; printf '++++\\n'\n")}\n`);
      const { output } = await runInUml(["bash", file], (line) => told.push(line));
      rmSync(folder, { recursive: true });
      const parts = output.split("\n++++\n");
      expect(parts).toHaveLength(scripts.length);
      for (const [index, ipvs] of DRAWN_IPVS.entries()) {
        const printed = [
          saved(ipvs),
          ...LISTINGS.map((columns) =>
            printIpvsListing(ipvs, undefined, columns === "plain" ? {} : { columns }),
          ),
        ];
        expect(parts[index]?.split(SEPARATOR)).toEqual(printed);
      }
      const said = ODD_LINES.map((text, index) => {
        const one = parts[DRAWN_IPVS.length + index] ?? "";
        return [text, one.startsWith("refused") ? "refused" : one];
      });
      expect(said).toEqual(ODD_LINES.map((text) => [text, ours(text)]));
      const [connections = "", listing = ""] = parts.at(-1)?.split(SEPARATOR) ?? [];
      const read = connections.trim().split("\n").slice(1).map(readConnection);
      expect(read.length).toBeGreaterThan(3);
      expect(read.map(({ state }) => state)).toContain("NONE");
      expect(withoutExpiry(listing)).toBe(withoutExpiry(printIpvsConnections(read)));
    },
  );
});
