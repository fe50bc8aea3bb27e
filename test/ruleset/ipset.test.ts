import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { type Prefix, prefixOf } from "../../src/net/prefix.js";
import { type IpSet, parseIpSets, printIpSets } from "../../src/ruleset/ipset.js";
import { SHARED } from "../shared-folder.js";

const ip4 = fc.integer({ min: 0, max: 0xffffffff });
const ip6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
const port = fc.integer({ min: 0, max: 65535 });
const protocol = fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const);
const name = fc.stringMatching(/^[A-Za-z][\w:-]{0,20}$/);

function setOf(type: IpSet["type"], entry: fc.Arbitrary<IpSet["entries"][number]>): fc.Arbitrary<IpSet> {
  return fc.record({ name, type: fc.constant(type), entries: fc.array(entry, { maxLength: 5 }) });
}

/** Of every length but 0. */
function netOf(ip: fc.Arbitrary<number> | fc.Arbitrary<bigint>): fc.Arbitrary<Prefix> {
  const bits = fc.integer({ min: 1, max: 128 });
  return fc.tuple(ip, bits).map(([address, length]) => {
    return prefixOf(address, typeof address === "number" ? Math.ceil(length / 4) : length);
  });
}

const nomatch = fc.constant(true as const);

const ofFamily = (ip: fc.Arbitrary<number> | fc.Arbitrary<bigint>) => [
  setOf("hash:net", fc.record({ net: netOf(ip), nomatch }, { requiredKeys: ["net"] })),
  setOf(
    "hash:net,port",
    fc.record({ net: netOf(ip), protocol, port, nomatch }, { requiredKeys: ["net", "protocol", "port"] }),
  ),
  setOf("hash:ip,port,net", fc.record({ ip, protocol, port, net: netOf(ip) })),
  setOf("hash:ip", fc.record({ ip })),
  setOf("hash:ip,port", fc.record({ ip, protocol, port })),
  setOf("hash:ip,port,ip", fc.record({ ip, protocol, port, ip2: ip })),
];
const of6 = ofFamily(ip6).map((drawn) => drawn.map((set): IpSet => ({ ...set, family: 6 })));

const set = fc.oneof(...ofFamily(ip4), ...of6, setOf("bitmap:port", fc.record({ port })));
const sets = fc.uniqueArray(set, { maxLength: 5, selector: (one) => one.name });

function refusal(text: string): string {
  try {
    parseIpSets(text, "sets");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("ipset save", () => {
  it("lists sets and elements as the tool does", () => {
    const listed: readonly IpSet[] = [
      {
        name: "KUBE-CLUSTER-IP",
        type: "hash:ip,port",
        entries: [{ ip: 0x0a600001, protocol: "TCP", port: 443 }],
      },
      { name: "KUBE-NODE-PORT-TCP", type: "bitmap:port", entries: [{ port: 30080 }] },
    ];
    expect(printIpSets(listed)).toBe(`\
create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
add KUBE-NODE-PORT-TCP 30080
`);
  });

  it("is read as it was printed", () => {
    fc.assert(
      fc.property(sets, (made) => {
        const text = printIpSets(made);
        expect(parseIpSets(text, "sets")).toEqual(made);
        expect(printIpSets(parseIpSets(text, "sets"))).toBe(text);
      }),
    );
  });

  it("passes over sizes, which newer tools list more of", () => {
    const text =
      "create A hash:ip family inet hashsize 4096 maxelem 131072 timeout 0 bucketsize 12 initval 0x8c48e8f6\nadd A 10.0.0.1 timeout 0\n";
    expect(parseIpSets(text, "sets")).toEqual([
      { name: "A", type: "hash:ip", entries: [{ ip: 0x0a000001 }] },
    ]);
  });

  it.each([
    ["create A hash:mac", "line 1: «hash:mac» is not a type of set this program models."],
    ["create A hash:net\nadd A 0.0.0.0/0", "line 2: «0.0.0.0/0» is not an element of a hash:net set."],
    ["create A hash:ip\nadd A fd00::1", "line 2: «fd00::1» is not an element of a hash:ip set."],
    [
      "create A hash:ip,port,net family inet6\nadd A fd00::1,tcp:80,10.0.0.0/8",
      "line 2: «fd00::1,tcp:80,10.0.0.0/8» is not an element of a hash:ip,port,net set.",
    ],
    ["create A hash:ip family inet timeout 300", "line 1: «timeout 300» of a set is not modelled."],
    ["add A 10.0.0.1", "line 1: «A» is not a set created before."],
    ["create A hash:ip,port\nadd A 10.0.0.1", "line 2: «10.0.0.1» is not an element of a hash:ip,port set."],
    ["create A hash:ip\nadd A 10.0.0.0/8", "line 2: «10.0.0.0/8» is not an element of a hash:ip set."],
    [
      "create A bitmap:port range 0-65535\nadd A 80-90",
      "line 2: «80-90» is not an element of a bitmap:port set.",
    ],
    ["create A hash:ip\nadd A 10.0.0.1 timeout 60", "line 2: «timeout» of an element is not modelled."],
    ["create A hash:ip\ncreate A hash:ip", "line 2: set A is created a second time."],
  ])("refuses %j", (text, message) => {
    expect(refusal(text)).toBe(`sets: ${message}`);
  });

  const listed = join(SHARED, "data", "k8s", "kube-router-ipset", "ipset_save.txt");

  it.skipIf(!existsSync(listed))(
    "a router's listing is printed again, but for sizes and times that never end",
    () => {
      const text = readFileSync(listed, "utf8");
      const plain = text
        .replace(/ hashsize \d+ maxelem \d+.*/g, " hashsize 1024 maxelem 65536")
        .replaceAll(" timeout 0", "");
      const sets = parseIpSets(text, "ipset save");
      expect(new Set(sets.map(({ type }) => type))).toEqual(new Set(["hash:ip", "hash:ip,port", "hash:net"]));
      const lines = (of: string) =>
        of
          .split("\n")
          .filter((line) => line !== "")
          .sort();
      expect(lines(printIpSets(sets))).toEqual(lines(plain));
    },
  );
});
