import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { printHostPort } from "../../src/net/port.js";
import {
  type Ipvs,
  parseIpvs,
  printIpvs,
  SCHEDULER_FLAGS,
  SCHEDULERS,
  type VirtualServer,
} from "../../src/ruleset/ipvs.js";

const address = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
);
const port = fc.integer({ min: 0, max: 65535 });
const real = fc.record({ address, port, weight: fc.integer({ min: 0, max: 65535 }) });

const virtual: fc.Arbitrary<VirtualServer> = fc
  .tuple(
    fc.record({
      protocol: fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const),
      address,
      port,
      scheduler: fc.constantFrom(...SCHEDULERS),
      servers: fc.array(real, { maxLength: 4 }),
      origin: fc.constant(""),
    }),
    fc.constantFrom({}, { persistence: 10800 }),
    fc.subarray([...SCHEDULER_FLAGS]),
  )
  .map(([server, persistence, some]) => {
    const flags = some.filter((flag) => flag.startsWith(server.scheduler));
    return { ...server, ...persistence, ...(flags.length === 0 ? {} : { flags }) };
  });

const ipvs: fc.Arbitrary<Ipvs> = fc
  .uniqueArray(virtual, {
    maxLength: 5,
    selector: (one) => one.protocol + printHostPort(one.address, one.port),
  })
  .map((servers) => ({ servers }));

function refusal(text: string): string {
  try {
    parseIpvs(text, "ipvs");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "accepted";
}

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

  it("names the scheduler's flags last, in the tool's order", () => {
    const line = "-A -u 10.96.0.1:53 -s mh -p 60 -b mh-fallback,mh-port\n";
    expect(printIpvs(parseIpvs(line, "ipvs"))).toBe(line);
    expect(printIpvs(parseIpvs(line.replace("mh-fallback,mh-port", "mh-port,mh-fallback"), "ipvs"))).toBe(
      line,
    );
  });

  it("is read as it was printed, but for the origin", () => {
    fc.assert(
      fc.property(ipvs, (made) => {
        const text = printIpvs(made);
        expect(parseIpvs(text, "ipvs")).toEqual(made);
        expect(printIpvs(parseIpvs(text, "ipvs"))).toBe(text);
      }),
    );
  });

  it.each([
    [
      "-A -t 10.96.0.1:80 -s wlc",
      "line 1: «wlc» is not a scheduler this program models (rr, wrr, sh, dh, mh).",
    ],
    ["-A -t 10.96.0.1:80 -s rr -b mh-port", "line 1: scheduler rr has no flags (-b): leave them out."],
    [
      "-A -t 10.96.0.1:80 -s mh -b sh-port",
      "line 1: «sh-port» is not a list of flags of scheduler mh (mh-fallback,mh-port).",
    ],
    [
      "-A -t 10.96.0.1:80 -s mh -b mh-port,mh-port",
      "line 1: «mh-port,mh-port» is not a list of flags of scheduler mh (mh-fallback,mh-port).",
    ],
    [
      "-A -t 10.96.0.1:80 -s rr\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -w 65536",
      "line 2: «65536» is not a weight (0 to 65535).",
    ],
    ["-A -f 1 -s rr", "line 1: «-f» is not a service flag this program models (-t, -u or --sctp-service)."],
    ["-A -t web:http -s rr", "line 1: «web:http» is not an address with a port (list with ipvsadm-save -n)."],
    ["-A -t 10.96.0.1:80 -s rr -M 255.255.255.0", "line 1: «-M» is not modelled."],
    [
      "-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -w 1",
      "line 1: virtual server TCP 10.96.0.1:80 was not added before.",
    ],
    [
      "-A -t 10.96.0.1:80 -s rr\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -g -w 1",
      "line 2: only servers forwarded to by masquerading (-m) are modelled.",
    ],
    [
      "-A -t 10.96.0.1:80 -s rr\n-A -t 10.96.0.1:80 -s rr",
      "line 2: virtual server TCP 10.96.0.1:80 is added a second time.",
    ],
    ["TCP  10.254.0.1:443 rr", "line 1: «TCP» is not -A or -a."],
  ])("refuses %j", (text, message) => {
    expect(refusal(text)).toBe(`ipvs: ${message}`);
  });
});
