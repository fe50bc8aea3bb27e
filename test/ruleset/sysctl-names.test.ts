import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Director } from "../../src/director.js";
import { Engine } from "../../src/engine/engine.js";
import { rulesetFromDump } from "../../src/ruleset/node-dump.js";
import { checkSysctls } from "../../src/ruleset/sysctl-names.js";
import type { Sysctls } from "../../src/ruleset/sysctls.js";
import { clusterOf } from "../proxy/cluster-of.js";

/** Whoever takes settings of the kernel. */
const TAKERS: readonly (readonly [string, (sysctls: Sysctls) => Promise<unknown>])[] = [
  ["an engine", (sysctls) => Engine.load({ ...compile(clusterOf().build()), sysctls }, { connections: 63 })],
  ["a director", (sysctls) => Director.create({ sysctls, connections: 63 })],
];

describe.each(TAKERS)("settings that are given to %s", (_, take) => {
  it.each([
    ["net.ipv4.vs.con_reuse_mode", "did you mean net.ipv4.vs.conn_reuse_mode?"],
    ["net.ipv4.vs.sync_version1", "did you mean net.ipv4.vs.sync_version"],
    ["net.netfilter.nf_conntrack_tcp_timeout_close_wit", "net.netfilter.nf_conntrack_tcp_timeout_close_wait"],
    [
      "net.netfilter.nf_conntrack_tcp_timeout_closewait",
      "did you mean net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    ],
    ["net.ipv4.ipfrag_timeout", "did you mean net.ipv4.ipfrag_time?"],
    ["net.ipv4.vs.nope", "those that are asked are net.ipv4.vs.conntrack, net.ipv4.vs.conn_reuse_mode, "],
    ["net.ipv4.vs.", "those that are asked are net.ipv4.vs.conntrack, "],
    ["conn_reuse_mode", "did you mean net.ipv4.vs.conn_reuse_mode?"],
    ["vs.conntrack", "did you mean net.ipv4.vs.conntrack?"],
    ["net/ipv4/vs/conntrack", "did you mean net.ipv4.vs.conntrack?"],
    ["net.ipv4.conf.all.route_localent", "did you mean net.ipv4.conf.all.route_localnet?"],
    ["route_localnet", "did you mean net.ipv4.conf.all.route_localnet?"],
    ["tcp_loose", "did you mean net.netfilter.nf_conntrack_tcp_loose?"],
  ])("are refused where their name is none: %s", async (name, instead) => {
    const refused = take({ "net.ipv4.vs.conntrack": 1, [name]: 1 });
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(`sysctl ${name}: is not known: `);
    await expect(refused).rejects.toThrow(instead);
  });

  it.each([
    ["net.ipv4.vs.drop_entry", 3],
    ["net.ipv4.vs.drop_packet", 3],
    ["net.ipv4.vs.secure_tcp", 3],
    ["net.ipv4.vs.conntrack", 0x7fffffff],
    ["net.netfilter.nf_conntrack_tcp_loose", 1],
    ["net.netfilter.nf_conntrack_tcp_be_liberal", 1],
    ["net.netfilter.nf_conntrack_tcp_ignore_invalid_rst", 1],
    ["net.netfilter.nf_conntrack_checksum", 1],
    ["net.netfilter.nf_conntrack_tcp_max_retrans", 255],
    ["net.netfilter.nf_conntrack_udp_timeout", 0x7fffffff],
    ["net.ipv4.ipfrag_max_dist", 0x7fffffff],
  ])("are taken up to the kernel's greatest value, and refused beyond: %s", async (name, max) => {
    await expect(take({ [name]: max })).resolves.toBeDefined();
    for (const value of [max + 1, -1, 0.5, Number.NaN])
      await expect(take({ [name]: value })).rejects.toThrow(
        `sysctl ${name}: ${value} is not a whole number from 0 to ${max}.`,
      );
  });
});

describe("settings that are not modelled", () => {
  const SYSCTLS = {
    "net.ipv4.vs.expire_nodest_conn": 1,
    "net.ipv4.vs.sync_version": 1,
    "net.netfilter.nf_conntrack_max": 65_536,
    "net.ipv4.vs.cache_bypass": 1,
    "net.ipv4.conf.all.rp_filter": 1,
    "net.ipv4.conf.eth0.route_localnet": 1,
    "net.ipv4.ip_forward": 1,
  };
  const WARNED = [
    "net.ipv4.vs.sync_version",
    "net.netfilter.nf_conntrack_max",
    "net.ipv4.vs.cache_bypass",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.eth0.route_localnet",
    "net.ipv4.ip_forward",
  ].map((name) => ({
    severity: "warning",
    place: { object: `sysctl ${name}` },
    message: "is a setting that is not modelled: packets do as though it were the kernel's default.",
  }));

  it("are warned of, each by its name", async () => {
    expect((await Director.create({ sysctls: SYSCTLS })).diagnostics).toEqual(WARNED);
    const dump = { "ipvsadm-save": { file: "saved", text: "-A -t 192.0.2.1:80 -s rr\n" } };
    expect(rulesetFromDump(dump, { sysctls: SYSCTLS }).diagnostics).toEqual(expect.arrayContaining(WARNED));
  });

  it("say nothing where they are as the kernel has them, or are modelled", async () => {
    expect(checkSysctls({ "net.ipv4.vs.cache_bypass": 0, "net.ipv4.vs.snat_reroute": 1 })).toEqual([]);
    expect((await Director.create({ sysctls: { "net.ipv4.vs.conntrack": 1 } })).diagnostics).toEqual([]);
  });
});
