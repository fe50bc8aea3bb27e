import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import type { VirtualServer } from "../../src/ruleset/ipvs.js";
import { parseIpvs, printIpvs } from "../../src/ruleset/ipvs-save.js";
import { drawnIpvs } from "./drawn-ipvs.js";

function refusal(text: string): string {
  try {
    parseIpvs(text, "ipvs");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "accepted";
}

const WEB = "-A -t 10.96.0.1:80 -s rr";

/** What a text comes to, as ipvsadm-save prints it. */
const restored = (...lines: readonly string[]) => printIpvs(parseIpvs(`${lines.join("\n")}\n`, "ipvs"));

describe("ipvsadm-save -n", () => {
  it("lists virtual and real servers as the tool does", () => {
    const servers = [{ address: 0x0af40107, port: 8080, weight: 1 }];
    const server = { address: 0x0a600001, port: 443, scheduler: "rr", servers, origin: "shop/web" } as const;
    const six: VirtualServer = { ...server, protocol: "SCTP", address: (0xfd00n << 112n) + 1n, servers: [] };
    expect(printIpvs({ servers: [{ ...server, protocol: "TCP", persistence: 10800 }, six] })).toBe(`\
-A -t 10.96.0.1:443 -s rr -p 10800
-a -t 10.96.0.1:443 -r 10.244.1.7:8080 -m -w 1
-A --sctp-service [fd00::1]:443 -s rr
`);
  });

  it("has its options in the tool's order", () => {
    const text = `\
-A -u 10.96.0.1:53 -s mh -p 60 -M 255.255.255.0 -o -b mh-fallback,mh-port
-A -t [fd00::1]:0 -s wlc -p 360 -M 64
-a -t [fd00::1]:0 -r [fd00::2]:0 -g -w 0 -x 10 -y 5
-A -f 4294967295 -6 -s rr -b flag-2
-a -f 4294967295 -6 -r [fd00::2]:80 -i -w 1 --tun-type ipip
-a -f 4294967295 -6 -r [fd00::3]:80 -i -w 1 --tun-type gre --tun-csum
-a -f 4294967295 -6 -r 10.0.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
`;
    expect(restored(text)).toBe(text);
  });

  it("is read as it was printed, but for the origin", () => {
    fc.assert(
      fc.property(drawnIpvs(5), (made) => {
        const text = printIpvs(made);
        expect(parseIpvs(text, "ipvs")).toEqual(made);
        expect(printIpvs(parseIpvs(text, "ipvs"))).toBe(text);
      }),
    );
  });
});

describe("ipvsadm-restore", () => {
  it("reads options in any order, short or long, joined or apart", () => {
    const expected = restored(WEB, "-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 5 -x 9");
    for (const line of [
      "--add-server --tcp-service 10.96.0.1:80 --real-server 10.0.0.1:8080 --masquerading --weight 5 --u-threshold 9",
      "--add-server --weight=5 --u-threshold=9 -m --real-server=10.0.0.1:8080 --tcp-service=10.96.0.1:80",
      "ipvsadm -a -x9 -w=5 -mr 10.0.0.1:8080 -t10.96.0.1:80",
      "-at 10.96.0.1:+80 -r 10.0.0.1:8080 -w +5 --sort -mx 9\t\r",
    ])
      expect(restored("", "# said of it", WEB, "   ", line)).toBe(expected);
  });

  it("takes the tool's defaults: wlc, direct routing, weight 1, the service's port, 360 seconds", () => {
    expect(restored("-A -t 10.96.0.1:80 -p", "-a -t 10.96.0.1:80 -r 10.0.0.1")).toBe(
      "-A -t 10.96.0.1:80 -s wlc -p 360\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -g -w 1\n",
    );
    // What is not rewritten goes to the port that was asked, whatever is said.
    expect(restored(WEB, "-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -i")).toContain("-r 10.0.0.1:80 -i");
    // The real server's port is copied as it stands when -r is read.
    expect(restored(WEB, "-a -r 10.0.0.1 -t 10.96.0.1:80 -m")).toContain("-r 10.0.0.1:0 -m");
  });

  it("reads a netmask as of the service that stands before it", () => {
    expect(restored("-A -M 255.255.0.0 -t 10.96.0.1:80 -p 60")).toContain("-p 60 -M 255.255.0.0");
    expect(restored("-A -M 255.255.0.0 -t [fd00::1]:80 -p 60")).toBe("-A -t [fd00::1]:80 -s wlc -p 60\n");
    // Of one that is not persistent nothing goes by it.
    expect(restored(`${WEB} -M 255.255.0.0`)).toBe(`${WEB}\n`);
  });

  it("names the flags of sh and mh, whose bits have numbers too", () => {
    expect(restored("-A -t 10.96.0.1:80 -s mh -b flag-2,mh-fallback,flag-3")).toBe(
      "-A -t 10.96.0.1:80 -s mh -b mh-fallback,mh-port\n",
    );
    expect(restored("-A -t 10.96.0.1:80 -s sh -b flag-1")).toContain("-b sh-fallback\n");
    expect(restored("-A -t 10.96.0.1:80 -b flag-3,flag-1 -s rr")).toContain("-b flag-1,flag-3\n");
  });

  it("changes what earlier lines made", () => {
    const [one, two] = [
      "-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -w 1",
      "-a -t 10.96.0.1:80 -r 10.0.0.2:80 -m -w 1",
    ];
    expect(restored(WEB, one, two, "-d -t 10.96.0.1:80 -r 10.0.0.1:80", one)).toBe(
      `${WEB}\n${two}\n${one}\n`,
    );
    expect(restored(WEB, one, two, "-e -t 10.96.0.1:80 -r 10.0.0.1:80 -g -w 7")).toBe(
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -g -w 7\n${two}\n`,
    );
    // An edited service keeps its real servers, and nothing else.
    expect(restored(`${WEB} -p 60`, one, "-E -t 10.96.0.1:80 -s sh -b sh-port", "-Z")).toBe(
      `-A -t 10.96.0.1:80 -s sh -b sh-port\n${one}\n`,
    );
    expect(restored(WEB, one, "-D -t 10.96.0.1:80", WEB)).toBe(`${WEB}\n`);
    expect(restored(WEB, one, "-C", WEB.replace("80", "81"))).toBe(`${WEB.replace("80", "81")}\n`);
  });

  it("keeps the weight that a server had before it had none", () => {
    const real = "-t 10.96.0.1:80 -r 10.0.0.1:80 -m -w";
    const { servers } = parseIpvs(`${WEB}\n-a ${real} 5\n-e ${real} 0\n-e ${real} 0`, "ipvs");
    expect(servers[0]?.servers).toEqual([{ address: 0x0a000001, port: 80, weight: 0, lastWeight: 5 }]);
  });

  it("sets timeouts, of which 0 leaves one as it is", () => {
    expect(parseIpvs("--set 10 20 30\n--set 0 0 40\n", "ipvs").timeouts).toEqual({
      tcp: 10,
      tcpFin: 20,
      udp: 40,
    });
    expect(parseIpvs(WEB, "ipvs")).not.toHaveProperty("timeouts");
  });

  it.each([
    [
      "-A -t 10.96.0.1:80 -s none",
      /^line 1: «none» is not a scheduler this program models \(rr, wrr, lc, .*twos\)\.$/,
    ],
    [`${WEB} -b mh-port`, "line 1: «mh-port» is not a flag of scheduler rr (flag-1, flag-2, flag-3)."],
    [`${WEB} -b ,`, "line 1: «,» is not a list of flags (flag-1, flag-2, flag-3)."],
    [`${WEB} -b`, "line 1: the line ends where the value of --sched-flags should stand."],
    [`${WEB} -p 0`, "line 1: «0» is not a number of seconds (1 to 2678400)."],
    [`${WEB} -M 255.255`, "line 1: «255.255» is not a netmask such as 255.255.255.0."],
    ["-A -t [fd00::1]:80 -M 129", "line 1: «129» is not a prefix length (1 to 128)."],
    [`${WEB} --pe sip`, "line 1: persistence engines (--pe) are not modelled: leave this service out."],
    [`${WEB} -o`, /line 1: virtual server TCP 10\.96\.0\.1:80 has one-packet scheduling \(-o\)/],
    [
      "-A -t 10.96.0.1 -s rr",
      /line 1: virtual server TCP 10\.96\.0\.1:0 has port 0, as only persistent ones may/,
    ],
    ["-A -f 0 -s rr", "line 1: «0» is not a firewall mark (1 to 4294967295)."],
    ["-A -6 -f 1", "line 1: -6 stands behind the firewall mark (-f) that it is of."],
    ["-A -t web:http -s rr", "line 1: «web:http» is not an address with a port in numbers."],
    ["-A -t [::1] -p", "line 1: «[::1]» is not an address with a port in numbers."],
    ["-A -t 10.96.0.1:80 -u 10.96.0.1:80", "line 1: the line gives its virtual service twice: -t and -u."],
    [
      "-A -s rr",
      "line 1: the line does not say which virtual service it is about (-t, -u, --sctp-service or -f).",
    ],
    [`${WEB} -D`, "line 1: the line has two commands: -D is one too many."],
    [`${WEB} -w 1`, "line 1: --add-service takes no -w."],
    [`${WEB} -n`, "line 1: «-n» is no option of a line that is restored."],
    [`${WEB} --schedule rr`, "line 1: «--schedule» is no option of a line that is restored."],
    [`${WEB} --ops=1`, "line 1: --ops takes no value: «1» is one too many."],
    [`${WEB} # the shop`, "line 1: «#» stands where an option should."],
    [" # the shop", "line 1: «#» is not a command (-A, -E, -D, -a, -e, -d, -C, -Z, --set)."],
    ["-t 10.96.0.1:80 -A", /line 1: «[^ ]*» is not a command/],
    ["TCP  10.254.0.1:443 rr", /line 1: «[^ ]*» is not a command/],
    ["-L -n", "line 1: «-n» is no option of a line that is restored."],
    ["--list", "line 1: -L changes no virtual server: leave this line out."],
    ["--start-daemon master", "line 1: --start-daemon changes no virtual server: leave this line out."],
    ["--set 1 2", "line 1: --set takes three timeouts: tcp, tcpfin and udp, in seconds."],
    ["--set 1 2 3 4", "line 1: «4» stands where an option should."],
    [`${WEB}\n-a -t 10.96.0.1:80`, "line 2: the line does not say which real server it is about (-r)."],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -w 2147483648`,
      "line 2: «2147483648» is not a weight (0 to 2147483647).",
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -g`,
      "line 2: the line gives its forwarding method twice: -m and -g.",
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 --tun-type gue`,
      /line 2: only a server that is reached by a tunnel \(-i\)/,
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -i --tun-type gue`,
      /line 2: the line does not say the tunnel's port/,
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -i --tun-port 1`,
      /line 2: tunnels of type ipip have no port/,
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -i --tun-type gre --tun-remcsum`,
      /line 2: tunnels of type gre have no --tun-remcsum/,
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -x 1 -y 2`,
      /line 2: the lower threshold of real server 10\.0\.0\.1:80 .* is above its upper one: 2 and 1/,
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r 224.0.0.1:80 -m`,
      /line 2: real server 224\.0\.0\.1:80 .* has no host's address/,
    ],
    [
      `${WEB}\n-a -t 10.96.0.1:80 -r [fd00::1]:80 -m`,
      /line 2: real server .* is of the other family, which only tunnels \(-i\) reach/,
    ],
    ["-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m", "line 1: there is no virtual server TCP 10.96.0.1:80."],
    ["-E -f 7", "line 1: there is no virtual server firewall mark 7."],
    ["-Z -f 7 -6", "line 1: there is no virtual server firewall mark 7 (IPv6)."],
    [
      `${WEB}\n-d -t 10.96.0.1:80 -r 10.0.0.1:80`,
      "line 2: there is no real server 10.0.0.1:80 of virtual server TCP 10.96.0.1:80.",
    ],
    [`${WEB}\n${WEB}`, "line 2: virtual server TCP 10.96.0.1:80 is there already."],
  ])("refuses %j", (text, message) => {
    const told = refusal(text).replace(/^ipvs: /, "");
    if (typeof message === "string") expect(told).toBe(message);
    else expect(told).toMatch(message);
  });
});
