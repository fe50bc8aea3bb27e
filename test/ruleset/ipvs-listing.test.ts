import { describe, expect, it } from "vitest";
import { type IpvsConnection, printIpvsConnections } from "../../src/ruleset/ipvs-connections.js";
import { printIpvsListing, type RealServerCounters } from "../../src/ruleset/ipvs-listing.js";
import { parseIpvs } from "../../src/ruleset/ipvs-save.js";
import { ip } from "../proxy/cluster-of.js";

const IPVS = parseIpvs(
  `\
-A -t 10.96.0.10:53 -s rr -p 10800 -M 255.255.255.0
-a -t 10.96.0.10:53 -r 10.244.1.7:5353 -m -w 1
-a -t 10.96.0.10:53 -r 10.244.1.6:53 -g -w 10 -x 20 -y 10
-A -f 7 -6 -s sh -o -b sh-port
-a -f 7 -6 -r [fd00::7]:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
`,
  "ipvs",
);

const COUNTED: RealServerCounters = {
  connections: 12,
  inPackets: 99_999_999,
  outPackets: 100_000_000,
  inOctets: 1_999_999_999,
  outOctets: 123_456_789_012_345,
  active: 3,
  inactive: 4,
  persistent: 5,
};

describe("ipvsadm -Ln", () => {
  it("lists forwarding, weight and connections", () => {
    expect(printIpvsListing(IPVS)).toBe(
      [
        "IP Virtual Server version 1.2.1 (size=4096)",
        "Prot LocalAddress:Port Scheduler Flags",
        "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
        "TCP  10.96.0.10:53 rr persistent 10800 mask 255.255.255.0",
        "  -> 10.244.1.6:53                Route   10     0          0         ",
        "  -> 10.244.1.7:5353              Masq    1      0          0         ",
        "FWM  7 IPv6 sh (sh-port) ops",
        "  -> [fd00::7]:80                 Tunnel  1      0          0         ",
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["stats", "TCP  10.96.0.10:53                      12 99999999  100000K    1999M     123T"],
    ["stats", "  -> 10.244.1.6:53                      12 99999999  100000K    1999M     123T"],
    ["thresholds", "  -> 10.244.1.6:53                20         10         3          4         "],
    ["persistent-conn", "  -> 10.244.1.6:53                10        5           3          4         "],
    ["tun-info", "  -> [fd00::7]:80                 Tunnel  gue:6080:+c   1      3          4         "],
    ["tun-info", "  -> 10.244.1.6:53                Route   n/a           10     3          4         "],
  ] as const)("lists --%s: %j", (columns, line) => {
    const counters = { service: () => COUNTED, real: () => COUNTED };
    expect(printIpvsListing(IPVS, counters, { columns }).split("\n")).toContain(line);
  });
});

describe("ipvsadm -Lnc", () => {
  it("lists connections and templates", () => {
    const one: IpvsConnection = {
      protocol: "TCP",
      expires: 899,
      state: "ESTABLISHED",
      client: ip("192.0.2.1"),
      clientPort: 40000,
      virtual: ip("10.96.0.10"),
      virtualPort: 53,
      destination: ip("10.244.1.7"),
      destinationPort: 5353,
    };
    const template = { ...one, clientPort: 0, state: "NONE", expires: 6000 };
    expect(printIpvsConnections([one, template])).toBe(
      [
        "IPVS connection entries",
        "pro expire state       source             virtual            destination",
        "TCP 14:59  ESTABLISHED 192.0.2.1:40000    10.96.0.10:53      10.244.1.7:5353",
        "TCP 100:00 NONE        192.0.2.1:0        10.96.0.10:53      10.244.1.7:5353",
        "",
      ].join("\n"),
    );
  });
});
