import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIp } from "../../src/net/ip.js";
import { parseMac } from "../../src/net/mac.js";
import { type FdbEntry, parseFdb, printFdb } from "../../src/ruleset/vxlan.js";

const ENTRY = "0e:f1:0a:f4:02:00 dev flannel.1 dst 172.18.0.4 self permanent\n";

const entry: fc.Arbitrary<FdbEntry> = fc.record({
  mac: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  dev: fc.constantFrom("flannel.1", "vxlan.calico"),
  dst: fc.integer({ min: 0, max: 0xffffffff }),
});

describe("forwarding database", () => {
  it("reads and prints a remote VTEP", () => {
    const entries = parseFdb(ENTRY, "fdb.txt");
    expect(entries).toEqual([
      { mac: parseMac("0e:f1:0a:f4:02:00"), dev: "flannel.1", dst: parseIp("172.18.0.4") },
    ]);
    expect(printFdb(entries)).toBe(ENTRY);
  });

  it("passes over the entries of bridges and plain devices", () => {
    const text = `\
33:33:00:00:00:01 dev eth0 self permanent
0e:71:32:76:af:22 dev cni0 vlan 1 master cni0 permanent
0e:71:32:76:af:22 dev cni0 master cni0 permanent
${ENTRY}`;
    expect(parseFdb(text, "fdb.txt")).toHaveLength(1);
  });

  it("finds a destination behind other attributes", () => {
    const text = "0e:f1:0a:f4:02:00 dev flannel.1 vlan 5 dst 172.18.0.4 self permanent\n";
    expect(parseFdb(text, "fdb.txt")).toEqual(parseFdb(ENTRY, "fdb.txt"));
  });

  it("names the line that it does not understand", () => {
    const parse = (text: string) => () => parseFdb(text, "fdb.txt");
    expect(parse(`${ENTRY}0e:f1 dev flannel.1\n`)).toThrow("fdb.txt: line 2: «0e:f1» is not a MAC address.");
    expect(parse("0e:f1:0a:f4:02:00 dev vx dst 10.0.0.1 vni 7 self permanent\n")).toThrow(
      "fdb.txt: line 1: «vni» is not modelled in an entry of a VXLAN device.",
    );
  });

  it("law: parse(print(x)) is x", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        expect(parseFdb(printFdb(entries), "fdb.txt")).toEqual(entries);
      }),
    );
  });
});
