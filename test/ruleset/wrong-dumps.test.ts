import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { type NodeDump, rulesetFromDump } from "../../src/ruleset/node-dump.js";

const LO = `\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
    inet 127.0.0.1/8 scope host lo
`;
const ETH0 = `\
2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP
    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 192.0.2.1/24 scope global eth0
`;

/** A node that is right, but for one listing. */
function refusalOf(tool: keyof NodeDump, text: string): string {
  const part = { file: "wrong.txt", text };
  const right = {
    "iptables-save": { file: "rules", text: "*filter\n-A INPUT -j DROP\nCOMMIT\n" },
    "ip-addr": { file: "addr", text: LO + ETH0 },
  };
  try {
    rulesetFromDump({ ...right, [tool]: tool === "ip-route" ? [part] : part });
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "was not refused";
}

const filter = (rule: string) => `*filter\n-A INPUT ${rule}\nCOMMIT\n`;
const nat = (rule: string) => `*nat\n-A PREROUTING -p tcp ${rule}\nCOMMIT\n`;

/** Of every kind of listing: what is wrong, and what is said of it behind the file's name. */
const WRONG: Readonly<Partial<Record<keyof NodeDump, readonly (readonly [text: string, said: string])[]>>> = {
  "iptables-save": [
    ["", "line 1: the file holds no listing: give the output of iptables-save."],
    ["{}", "line 1: «{}» stands where a table such as «*filter» should: give the output of iptables-save."],
    ["*filter\n-A INPUT -j DROP\n", "line 2: the listing ends before COMMIT."],
    ["*filter\n:INPUT MAYBE [0:0]\nCOMMIT\n", "line 2: «MAYBE» is not a chain's policy (ACCEPT, DROP or -)."],
    [filter("-s 10.0.0.300"), "line 2: «10.0.0.300» is not an IPv4 prefix."],
    [filter("-p tcp -m multiport --dports 1,x"), "line 2: «1,x» is not a list of ports."],
    [filter("-m recent --set --hitcount x"), "line 2: «x» is not a number of packets."],
    [filter("-m limit --limit fast"), "line 2: «fast» is not a rate."],
    [filter("-m addrtype --dst-type X"), "line 2: «X» is not a list of address types (LOCAL, UNICAST …)."],
    [filter("-m mark --mark 0xq"), "line 2: «0xq» is not a mark."],
    [
      filter("-m iprange --src-range 10.0.0.9-fd00::1"),
      "line 2: «10.0.0.9-fd00::1» is not a range of IPv4 addresses.",
    ],
    [filter("-g NOWHERE"), "line 2: «NOWHERE» is not a chain of this table."],
    [filter("-j REJECT --reject-with sorry"), "line 2: «sorry» is not a kind of refusal."],
    [nat("-j REDIRECT --to-ports 99999"), "line 2: «99999» is not a port or a range of ports."],
    [
      nat("-j DNAT --to-destination 10.0.0"),
      "line 2: «10.0.0» is not an IPv4 address, a range of them or ports.",
    ],
  ],
  "ip6tables-save": [
    ["# nothing\n", "line 1: the file holds no listing: give the output of ip6tables-save."],
    [
      "hello",
      "line 1: «hello» stands where a table such as «*filter» should: give the output of iptables-save.",
    ],
    [filter("-s 10.0.0.1"), "line 2: «10.0.0.1» is not an IPv6 prefix."],
    [
      filter("-j REJECT --reject-with icmp-net-unreachable"),
      "line 2: «icmp-net-unreachable» is not a kind of refusal.",
    ],
    ["*filter\n-A INPUT -j DROP\n", "line 3: the listing ends before COMMIT."],
  ],
  "ipset-save": [
    ["{}", "line 1: «{}» is not create or add: give the output of ipset save."],
    [
      "create\n",
      "line 1: the line ends where the name of a set should stand: give the output of ipset save.",
    ],
    ["create A hash:ip\nadd B 10.0.0.1\n", "line 2: «B» is not a set created before."],
    ["create A hash:ip\ncreate A hash:ip\n", "line 2: set A is created a second time."],
    ["create A hash:ip\ndel A 10.0.0.1\n", "line 2: «del» is not create or add."],
  ],
  "ipvsadm-save": [
    [
      "hello\n",
      "line 1: «hello» is not a command (-A, -E, -D, -a, -e, -d, -C, -Z, --set): give the output of ipvsadm-save -n.",
    ],
    [
      "-A -t web:80 -s rr\n-A -u 10.0.0.1:53 -s rr\n",
      "line 1: «web:80» is not an address with a port in numbers.",
    ],
    [
      "-A -u 10.0.0.1:53 -s rr\n-A -t 10.0.0.1:80 -s none\n",
      "line 2: «none» is not a scheduler this program models (rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos).",
    ],
    [
      "-A -u 10.0.0.1:53 -s rr\n-a -t 10.0.0.1:80 -r 10.1.1.1:80 -m -w 1\n",
      "line 2: there is no virtual server TCP 10.0.0.1:80.",
    ],
    [
      "-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr\n",
      "line 2: virtual server TCP 10.0.0.1:80 is there already.",
    ],
    [
      "-A -u 10.0.0.1:53 -s rr\n-A -t 10.0.0.1:80 -s rr -p long\n",
      "line 2: «long» is not a number of seconds (1 to 2678400).",
    ],
  ],
  "ip-addr": [
    ["\n", "line 1: the file holds no interface: give the listing of `ip -d addr`."],
    ["default dev eth0\n", "line 1: no interface stands before this line: give the listing of `ip -d addr`."],
    [LO + ETH0.replace("/24", "/33"), "line 5: «/33» is not the length of a network of 192.0.2.1."],
    [LO + ETH0.replace("02:00:00:00:00:01", "02:00"), "line 4: «02:00» is not a MAC address."],
    [LO + ETH0.replace("1500", "large"), "line 3: «large» is not an MTU."],
    [LO + ETH0 + ETH0, "line 6: the interface eth0 is listed a second time: give one listing."],
  ],
  "ip-route": [
    ["*filter\n", "line 1: «*filter» is not a route's destination: give the output of ip route."],
    ["10.0.0.0/8 dev eth0\n10.0.0.0/33 dev eth0\n", "line 2: «10.0.0.0/33» is not a route's destination."],
    ["10.0.0.0/8 dev eth0\ndefault via gw dev eth0\n", "line 2: «gw» is not an IP address."],
    ["10.0.0.0/8 dev eth0\nblackhole\n", "line 2: the line ends where a route's destination should stand."],
    [
      "default dev eth1\n",
      "names the device eth1, which addr does not list: give listings of one node, whole.",
    ],
    ["10.0.0.0/8 dev eth0\ndefault dev eth0 metric low\n", "line 2: «low» is not a metric."],
  ],
  "ip-neigh": [
    ["hello\n", "line 1: «hello» is not an IP address: give the output of ip neigh."],
    [
      "192.0.2.9 dev eth0 lladdr 02:00:00:00:00:09 STALE\n192.0.2.8 dev eth0 lladdr 02:zz STALE\n",
      "line 2: «02:zz» is not a MAC address.",
    ],
    [
      "192.0.2.9 lladdr 02:00:00:00:00:09\n",
      "line 1: «lladdr» stands where «dev» should: give the output of ip neigh.",
    ],
    [
      "192.0.2.9 dev eth1 lladdr 02:00:00:00:00:09 STALE\n",
      "names the device eth1, which addr does not list: give listings of one node, whole.",
    ],
    ["192.0.2.9\n", "line 1: the line ends where «dev» should stand: give the output of ip neigh."],
  ],
  "bridge-fdb": [
    ["hello\n", "line 1: «hello» is not a MAC address: give the output of bridge fdb."],
    [
      "02:00:00:00:00:09 dev\n",
      "line 1: the line ends where a device should stand: give the output of bridge fdb.",
    ],
    [
      "02:00:00:00:00:08 dev eth0 dst 192.0.2.9\n02:00:00:00:00:09 dev eth0 dst 192.0.2.999 self\n",
      "line 2: «192.0.2.999» is not an IP address.",
    ],
    [
      "02:00:00:00:00:09 dev vxlan0 dst 192.0.2.9 self permanent\n",
      "names the device vxlan0, which addr does not list: give listings of one node, whole.",
    ],
    ["02:00:00:00:00:08 dev eth0 dst 192.0.2.9\n02: dev eth0\n", "line 2: «02:» is not a MAC address."],
  ],
};

describe.each(Object.entries(WRONG))("a wrong listing: %s", (tool, cases) => {
  it.each(cases)("%j", (text, said) => {
    expect(refusalOf(tool as keyof NodeDump, text)).toBe(`wrong.txt: ${said}`);
  });
});
