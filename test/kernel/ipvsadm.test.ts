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
import { runInUml } from "./judge/user-mode-linux.js";
import { cannotRun } from "./namespace.js";

/** IPVSADM_SEED asks others. */
const SEED = Number(process.env.IPVSADM_SEED ?? 20_265);
const DRAWN = 30;
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
  return [`ipvsadm -C; ipvsadm -R < ${file}`, "ipvsadm-save -n", ...listed].join(" && printf '====\\n' && ");
}

/** The tool prints no thresholds. */
const saved = (ipvs: Ipvs) => printIpvs(sortIpvs(ipvs)).replace(/ -[xy] [0-9]+/g, "");

const WEB = "-A -t 10.96.0.1:80 -s rr";
const REAL = "-a -t 10.96.0.1:80 -r 10.0.0.1:8080";

/** Lines as people may write them, each with all that it needs, and the tool's opinion is asked. */
const ODD: readonly string[] = [
  `${WEB} -p`,
  `${WEB} -p360`,
  `${WEB} -p=360`,
  `${WEB} -p -M 255.255.255.0`,
  "-A -p -t 10.96.0.1:80",
  "-At 10.96.0.1:80 -s=rr",
  "-A -t10.96.0.1:80 -srr",
  "-A --tcp-service=10.96.0.1:80 --scheduler rr",
  "--add-service -t 10.96.0.1:80",
  "ipvsadm -A -t 10.96.0.1:80",
  "-A -t 10.96.0.1 -p",
  "-A -t 10.96.0.1",
  "-A -t [fd00::1]:80",
  "-A -t fd00::1 -p",
  "-A -t [fd00::1] -p",
  "-A -t 10.96.0.1:65536",
  "-A -t 10.96.0.1:+80",
  "-A -t 10.96.0.1: -p",
  "-A -t 80",
  "-A -M 255.255.0.0 -t 10.96.0.1:80 -p 60",
  "-A -M 255.255.0.0 -t [fd00::1]:80 -p 60",
  "-A -t [fd00::1]:80 -p 60 -M 64",
  "-A -t [fd00::1]:80 -p 60 -M 0",
  "-A -t [fd00::1]:80 -p 60 -M 129",
  "-A -t 10.96.0.1:80 -p 60 -M 0.0.0.0",
  `${WEB} -M 255.255.0.0`,
  `${WEB} -p 0`,
  `${WEB} -p 2678400`,
  `${WEB} -p 2678401`,
  `${WEB} -o`,
  "-A -u 10.96.0.1:80 -o",
  "-A -f 1 -o",
  "-A -f 1 -6",
  "-A -6 -f 1",
  "-A -f 1 -6 -p -M 24",
  "-A -f 1 -p -M 255.0.0.0 -6",
  "-A -f 0",
  "-A -f -1",
  "-A -f 0x10",
  "-A -f 2147483647",
  "-A -f 4294967296",
  "-A -t 10.96.0.1:80 -s mh -b mh-port",
  "-A -t 10.96.0.1:80 -b mh-port -s mh",
  "-A -t 10.96.0.1:80 -s mh -b flag-1,flag-2",
  "-A -t 10.96.0.1:80 -s mh -b mh-port,,mh-port",
  "-A -t 10.96.0.1:80 -s mh -b sh-port",
  "-A -t 10.96.0.1:80 -s rr -b flag-3,flag-1",
  "-A -t 10.96.0.1:80 -s rr -b flag-4",
  "-A -t 10.96.0.1:80 -s rr -b",
  "-A -t 10.96.0.1:80 -s nosuch",
  "-A -t 10.96.0.1:80 -u 10.96.0.1:80",
  "-A -t 10.96.0.1:80 -D",
  "-A -t 10.96.0.1:80 -w 1",
  "-A -t 10.96.0.1:80 -n",
  "-A -t 10.96.0.1:80 --sort --sort",
  "-A -t 10.96.0.1:80 rr",
  "-A -t 10.96.0.1:80 -- rr",
  "-A -t 10.96.0.1:80 # the shop",
  "# the shop",
  " # the shop",
  "-A",
  "-A -s rr",
  "-t 10.96.0.1:80 -A",
  "--sched-flags=mh-port -A -t 10.96.0.1:80 -s mh",
  "-A -t 10.96.0.1:80 --ops=1",
  "-A -t 10.96.0.1:80 --sched rr",
  `${WEB}\n${WEB}`,
  `${WEB}\n-E -t 10.96.0.1:80 -s sh`,
  "-E -t 10.96.0.1:80 -s sh",
  `${WEB} -p 60 -M 255.255.0.0\n-E -t 10.96.0.1:80`,
  `${WEB}\n-D -t 10.96.0.1:80`,
  `${WEB}\n-D -t 10.96.0.1:81`,
  `${WEB}\n-D -t 10.96.0.1:80 -s rr`,
  `${WEB}\n-C\n-A -u 10.96.0.1:53`,
  `${WEB}\n-Z`,
  `${WEB}\n-Z -t 10.96.0.1:80`,
  `${WEB}\n-Z -t 10.96.0.1:81`,
  `${WEB}\n--set 10 20 30`,
  `${WEB}\n--set 0 0 0`,
  `${WEB}\n--set 10 20`,
  `${WEB}\n--set 10 20 30 40`,
  `${WEB}\n${REAL}`,
  `${WEB}\n${REAL} -m`,
  `${WEB}\n${REAL} -mw 5`,
  `${WEB}\n${REAL} -mw5`,
  `${WEB}\n${REAL} -m --weight=5`,
  `${WEB}\n${REAL} -m -w +5`,
  `${WEB}\n${REAL} -m -w 65535`,
  `${WEB}\n${REAL} -m -w 65536`,
  `${WEB}\n${REAL} -m -w -1`,
  `${WEB}\n${REAL} -m -w five`,
  `${WEB}\n${REAL} -i`,
  `${WEB}\n${REAL} -m -g`,
  `${WEB}\n${REAL} -m -m`,
  `${WEB}\n${REAL} -m -x 10 -y 5`,
  `${WEB}\n${REAL} -m -x 5 -y 10`,
  `${WEB}\n${REAL} -m -x 2147483648`,
  `${WEB}\n${REAL} -m -s rr`,
  `${WEB}\n${REAL} -m\n${REAL} -m`,
  `${WEB}\n${REAL} -m\n-d -t 10.96.0.1:80 -r 10.0.0.1:8080`,
  `${WEB}\n${REAL} -m\n-d -t 10.96.0.1:80 -r 10.0.0.1:8080 -m`,
  `${WEB}\n-d -t 10.96.0.1:80 -r 10.0.0.1:8080`,
  `${WEB}\n${REAL} -m\n-e -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 0`,
  `${WEB}\n${REAL} -m\n-e -t 10.96.0.1:80 -r 10.0.0.1:8080 -g`,
  `${WEB}\n-e -t 10.96.0.1:80 -r 10.0.0.1:8080 -m`,
  `${WEB}\n-a -r 10.0.0.1 -t 10.96.0.1:80 -m`,
  `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1 -m`,
  `${WEB}\n-a -t 10.96.0.1:80 -m`,
  `${WEB}\n-a -t 10.96.0.1:80 -r [fd00::1]:80 -m`,
  `${WEB}\n-a -t 10.96.0.1:80 -r [fd00::1]:80 -i`,
  `${WEB}\n-a -t 10.96.0.1:80 -r 224.0.0.1:80 -m`,
  `${WEB}\n-a -t 10.96.0.1:80 -r 0.0.0.0:80 -m`,
  `${WEB}\n-a -t 10.96.0.1:80 -r 255.255.255.255:80 -m`,
  "-A -t [fd00::1]:80\n-a -t [fd00::1]:80 -r [fe80::1]:80 -m",
  "-A -t [fd00::1]:80\n-a -t [fd00::1]:80 -r [ff02::1]:80 -m",
  "-A -t [fd00::1]:80\n-a -t [fd00::1]:80 -r [::ffff:10.0.0.1]:80 -m",
  "-A -t [fd00::1]:80\n-a -t [fd00::1]:80 -r [::]:80 -m",
  "-A -t [fd00::1]:80\n-a -t [fd00::1]:80 -r [::1]:80 -m",
  "-A -f 7\n-a -f 7 -r 10.0.0.1 -g",
  "-A -f 7\n-a -f 7 -r 10.0.0.1:80 -g",
  "-A -f 7\n-a -f 7 -6 -r 10.0.0.1:80 -g",
  `${WEB}\n${REAL} -i --tun-type gue`,
  `${WEB}\n${REAL} -i --tun-type gue --tun-port 6080`,
  `${WEB}\n${REAL} -i --tun-type gue --tun-port 6080 --tun-remcsum`,
  `${WEB}\n${REAL} -i --tun-type gue --tun-port 6080 --tun-remcsum --tun-csum`,
  `${WEB}\n${REAL} -i --tun-type gre --tun-csum`,
  `${WEB}\n${REAL} -i --tun-type gre --tun-remcsum`,
  `${WEB}\n${REAL} -i --tun-type gre --tun-port 1`,
  `${WEB}\n${REAL} -i --tun-type ipip --tun-csum`,
  `${WEB}\n${REAL} -i --tun-port 1`,
  `${WEB}\n${REAL} -m --tun-type gue --tun-port 1`,
  `${WEB}\n${REAL} -i --tun-type vxlan`,
];

/** What is there after the tool has read a text to its end, or that it refused a line. */
function opinion(file: string): string {
  return `ipvsadm -C; ipvsadm-restore < ${file} 2>${file}.said; [ -s ${file}.said ] && echo refused; ipvsadm-save -n`;
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
    "(bash -c 'echo hello >/dev/tcp/10.9.0.1/80' &) ; sleep 0.2",
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
        ...ODD.map((text, index) => opinion(write(`odd-${index}`, `${text}\n`))),
        traffic(write("traffic", TRAFFIC)),
      ];
      // Files can only be written where a memory file system is.
      const script = `cp -r ${folder} /run/ipvs && cd /run/ipvs\n${scripts.join("\necho; printf '++++\\n'\n")}\n`;
      const told: string[] = [];
      const file = write(
        "all",
        script.replaceAll(`${folder}/`, "/run/ipvs/").replace(`cp -r ${folder}`, `cp -r ${folder}`),
      );
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
      for (const [index, text] of ODD.entries()) {
        const said = parts[DRAWN_IPVS.length + index] ?? "";
        expect([text, said.startsWith("refused") ? "refused" : said]).toEqual([text, ours(text)]);
      }
      const [connections = "", listing = ""] = parts.at(-1)?.split(SEPARATOR) ?? [];
      const read = connections.trim().split("\n").slice(1).map(readConnection);
      expect(read.length).toBeGreaterThan(3);
      expect(read.map(({ state }) => state)).toContain("NONE");
      expect(withoutExpiry(listing)).toBe(withoutExpiry(printIpvsConnections(read)));
    },
  );
});
