import { describe, expect, it } from "vitest";
import { parseIp, printIp } from "../../src/net/ip.js";
import { parseMac } from "../../src/net/mac.js";
import { printPrefix } from "../../src/net/prefix.js";
import { parseAddresses } from "../../src/ruleset/addresses.js";

const LISTING = `\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0  allmulti 0 minmtu 0 maxmtu 0
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host noprefixroute
       valid_lft forever preferred_lft forever
2: eth0@if27: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UP group default
    link/ether 02:42:ac:12:00:03 brd ff:ff:ff:ff:ff:ff link-netnsid 0 promiscuity 0
    veth numtxqueues 8 numrxqueues 8
    inet 172.18.0.3/16 brd 172.18.255.255 scope global eth0
       valid_lft forever preferred_lft forever
    inet6 fc00:f853::3/64 scope global nodad
       valid_lft forever preferred_lft forever
    inet6 fe80::42:acff:fe12:3/64 scope link
3: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1350 qdisc noqueue state UNKNOWN group default
    link/ether 0a:58:0a:f4:01:00 brd ff:ff:ff:ff:ff:ff promiscuity 0
    vxlan id 1 local 172.18.0.3 dev eth0 srcport 0 0 dstport 8472 nolearning ttl auto ageing 300
    inet 10.244.1.0/32 scope global flannel.1
4: cni0: <NO-CARRIER,BROADCAST,MULTICAST> mtu 1350 qdisc noqueue state DOWN group default
    link/ether 0a:58:0a:f4:01:01 brd ff:ff:ff:ff:ff:ff promiscuity 0
    bridge forward_delay 1500 hello_time 200
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
5: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default
    link/ether 8a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 10.96.0.10/32 scope global kube-ipvs0
6: ppp0: <POINTOPOINT,UP> mtu 1492 qdisc noqueue state UNKNOWN group default
    link/ppp
    inet 10.1.0.2 peer 10.1.0.1/32 scope global ppp0
`;

describe("ip -d addr", () => {
  const { interfaces, routes } = parseAddresses(LISTING, "addr");
  const named = (name: string) => interfaces.find((one) => one.name === name);

  it("tells interfaces, what they are and their addresses", () => {
    expect(interfaces.map(({ name, kind, mtu }) => [name, kind, mtu])).toEqual([
      ["lo", "loopback", 65536],
      ["eth0", "uplink", 1400],
      ["flannel.1", "vxlan", 1350],
      ["cni0", "bridge", 1350],
      ["kube-ipvs0", "dummy", 1500],
      ["ppp0", "uplink", 1492],
    ]);
    expect(named("eth0")?.mac).toBe(parseMac("02:42:ac:12:00:03"));
    expect(named("eth0")?.addresses.map(({ address, length }) => `${printIp(address)}/${length}`)).toEqual([
      "172.18.0.3/16",
      "fc00:f853::3/64",
      "fe80::42:acff:fe12:3/64",
    ]);
    expect(named("flannel.1")?.vxlan).toEqual({ vni: 1, port: 8472, local: parseIp("172.18.0.3") });
    expect(named("ppp0")?.addresses).toEqual([{ address: parseIp("10.1.0.2"), length: 32 }]);
  });

  it("tells the routes that a kernel makes of them, for interfaces that are up", () => {
    expect(routes.map(({ prefix, dev }) => `${printPrefix(prefix)} ${dev}`)).toEqual([
      "172.18.0.0/16 eth0",
      "fc00:f853::/64 eth0",
      "10.1.0.1/32 ppp0",
    ]);
  });

  it("knows less without -d: a device with a telling name, or a plain one", () => {
    const plain = LISTING.replace(/^ {4}(vxlan|bridge|veth) .*\n/gm, "");
    expect(parseAddresses(plain, "addr").interfaces.map(({ kind }) => kind)).toEqual([
      "loopback",
      "uplink",
      "uplink",
      "uplink",
      "dummy",
      "uplink",
    ]);
  });

  it.each([
    [
      "    inet 10.0.0.1/24",
      "addr: line 1: no interface stands before this line: give the listing of `ip -d addr`.",
    ],
    ["1: lo    inet 127.0.0.1/8 scope host lo", "addr: line 1: «inet» is not flags in angles."],
    ["1: a: <UP> mtu 1500\n    inet 10.0.0.300/24", "addr: line 2: «10.0.0.300» is not an IP address."],
  ])("refuses %j", (text, message) => {
    expect(() => parseAddresses(text, "addr")).toThrow(message);
  });
});
