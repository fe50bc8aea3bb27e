import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { icmpEcho, tcp } from "../../src/packet/build.js";
import { CLUSTER, withIp6 } from "../guarded-batch.js";

describe("an IPv6 packet's way", () => {
  it("is told with whole addresses", async () => {
    const engine = await Engine.load(withIp6(compile(CLUSTER, { proxy: "ipvs" })));
    const lines = engine.trace(tcp("[2001:db8::7]:41000", "[fd00:18::2]:80"), { in: "eth0" }).split("\n");
    expect(lines).toEqual([
      "parse      2001:db8::7.41000 > fd00:18::2.80: tcp, 74 octets",
      "conntrack  new connection",
      "ipvs       shop/lb:http [fd00:18::2]:80, rr → [fd00:244:2::9]:8080",
      "ipvs       connection: NONE → SYN_RECV",
      "translate  dst [fd00:18::2]:80 → [fd00:244:2::9]:8080",
      "route      fd00:244:2::/64 → vtep fd00:244:2:: (flannel.1)",
      "encap      vxlan vni 1, 172.18.0.2 > 172.18.0.3, 124 octets",
      "forward    eth0",
    ]);
    const { steps } = engine.follow(icmpEcho("fd00:244:1::9", "2001:db8::7"), { in: "cni0" });
    expect(steps[0]).toMatchObject({ src: "fd00:244:1::9", dst: "2001:db8::7", protocol: "icmp6" });
    expect(steps.at(-2)).toMatchObject({ stage: "route", prefix: "default", to: "fd00:18::1" });
  });
});
