import { describe, expect, it } from "vitest";
import { flannel } from "../../src/cni/flannel.js";
import { printIp, printIp4 } from "../../src/net/ip.js";
import { printMac } from "../../src/net/mac.js";
import { parseNeighbours, printNeighbours } from "../../src/ruleset/neighbours.js";
import { type Interface, parseRoutes, printRoutes } from "../../src/ruleset/routes.js";
import { parseFdb, printFdb } from "../../src/ruleset/vxlan.js";
import { clusterWith, node, pod } from "../cni/small-cluster.js";
import { cannotRun, inNamespace } from "./namespace.js";

const CREATE: Record<Interface["kind"], string> = {
  loopback: "true",
  uplink: "ip link add eth0 type veth peer name wire && ip link set wire up",
  bridge: "ip link add cni0 type bridge",
  vxlan: "",
  geneve: "",
  dummy: "true",
};

/** Makes one interface as the plugins would, with a veth for the uplink. */
function create({ name, kind, mac, mtu, addresses, vxlan }: Interface): readonly string[] {
  if (kind === "loopback") return ["ip link set lo up"];
  const tunnel =
    vxlan === undefined
      ? CREATE[kind]
      : `ip link add ${name} type vxlan id ${vxlan.vni} local ${printIp(vxlan.local)} dev eth0 dstport ${vxlan.port} nolearning`;
  return [
    tunnel,
    `ip link set ${name} address ${printMac(mac)} mtu ${mtu}`,
    ...addresses.map(({ address, length }) => `ip addr add ${printIp(address)}/${length} dev ${name}`),
    // The bridge needs a port that is up, or its route is marked linkdown.
    kind === "bridge"
      ? `ip link add pod0 type veth peer name pod1 && ip link set pod0 master ${name} up && ip link set pod1 up`
      : "true",
    `ip link set ${name} up`,
  ];
}

/** Addresses of a bridge with IPv6 would be probed for; what IPv6 adds is no part of the comparison. */
const QUIET = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true";

const NODES = Array.from({ length: 5 }, (_, index) =>
  node(`worker-${index}`, printIp4(0xac120003 + index), `10.244.${index}.0/24`),
);
const CLUSTER = clusterWith(NODES, [
  pod("shop/cart", "worker-1", "10.244.1.7"),
  pod("shop/web", "worker-1", "10.244.1.70"),
]);

const obstacle = cannotRun(
  "ip link add eth0 type veth peer name wire && ip link add vx type vxlan id 1 dstport 1 && bridge fdb",
);

describe(`a node of flannel in the kernel${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  it.skipIf(obstacle !== undefined).each(["vxlan", "host-gw"] as const)(
    "%s: is listed as printed",
    (backend) => {
      const [, self] = NODES;
      if (self === undefined) throw new Error("no node");
      const { interfaces, routes, neighbours, fdb } = flannel(CLUSTER, self, { backend });
      const script = [
        QUIET,
        ...interfaces.flatMap(create),
        ...routes
          .filter(({ proto }) => proto !== "kernel")
          .map((route) => `ip route add ${printRoutes([route]).trim()}`),
        ...neighbours.map(
          (one) => `ip neigh replace ${printNeighbours([one]).trim().replace("PERMANENT", "nud permanent")}`,
        ),
        ...fdb.map((entry) => `bridge fdb append ${printFdb([entry]).trim()}`),
        "ip route; echo =; ip neigh show nud permanent; echo =; bridge fdb show",
      ];
      const [routeText = "", neighbourText = "", fdbText = ""] = inNamespace(script.join("\n")).split("=\n");
      expect(routeText.replaceAll(" \n", "\n")).toBe(printRoutes(routes));
      expect(parseRoutes(routeText, "ip route").routes).toEqual(routes);
      const sorted = (text: string) => text.split("\n").sort();
      const listed = printNeighbours(parseNeighbours(neighbourText, "ip neigh"));
      expect(sorted(listed)).toEqual(sorted(printNeighbours(neighbours)));
      expect(sorted(printFdb(parseFdb(fdbText, "bridge fdb")))).toEqual(sorted(printFdb(fdb)));
    },
  );
});
