import { describe, expect, it } from "vitest";
import { parseIp, printIp } from "../../src/net/ip.js";
import { ownSource } from "../../src/ruleset/own-source.js";
import type { Interface } from "../../src/ruleset/routes.js";
import { cannotRun, inNamespace } from "./namespace.js";

/** Interfaces, and their addresses in the order in which they are given to the kernel. */
const DEVICES: Readonly<Record<string, readonly string[]>> = {
  lo: ["127.0.0.1/8", "::1/128"],
  eth0: [
    "172.18.0.3/16",
    "172.18.0.10/16",
    "172.18.0.9/32",
    "10.5.0.1/24",
    "10.5.0.2/25",
    "10.5.0.3/24",
    "fd00::3/64",
    "fd00::4/64",
  ],
  // As kube-proxy leaves it: down, of an address for every Service.
  "kube-ipvs0": ["10.96.0.1/32", "10.96.0.10/32", "fd00:96::1/128"],
};

const LOCAL = [
  ...Object.values(DEVICES)
    .flat()
    .map((text) => text.split("/")[0] ?? ""),
  "127.0.0.5",
  "127.255.0.1",
];
const OTHERS = ["10.96.0.2", "172.18.0.4", "10.5.0.255", "fd00:96::2", "::2"];

const SETUP = Object.entries(DEVICES)
  .flatMap(([name, addresses]) => [
    ...(name === "lo" ? [] : [`ip link add ${name} type veth peer name peer-${name}`]),
    ...(name === "kube-ipvs0" ? [] : [`ip link set ${name} up`]),
    ...(name === "lo"
      ? []
      : addresses.map((one) => `ip addr add ${one} dev ${name}${one.includes(":") ? " nodad" : ""}`)),
  ])
  .join("\n");

const kindOf = (name: string) => (name === "lo" ? "loopback" : name === "eth0" ? "uplink" : "dummy");

const interfaces: readonly Interface[] = Object.entries(DEVICES).map(([name, addresses]) => ({
  name,
  kind: kindOf(name),
  mac: 0,
  mtu: 1500,
  addresses: addresses.map((text) => {
    const [address = "", length] = text.split("/");
    return { address: parseIp(address) ?? 0, length: Number(length) };
  }),
}));

function told(text: string): string | undefined {
  const source = ownSource({ interfaces }, parseIp(text) ?? 0);
  return source === undefined ? undefined : printIp(source);
}

const obstacle = cannotRun("ip link set lo up");

describe.skipIf(obstacle !== undefined)(`a kernel's choice of a source ${obstacle ?? ""}`, () => {
  it("for its own addresses is what is told", () => {
    const script = `${SETUP}\n${LOCAL.map((one) => `ip -o route get ${one}`).join("\n")}`;
    const chosen = inNamespace(script).trimEnd().split("\n");
    expect(chosen.map((line) => / src (\S+)/.exec(line)?.[1])).toEqual(LOCAL.map(told));
    expect(chosen.every((line) => line.startsWith("local "))).toBe(true);
  });

  it("is not told for others", () => {
    expect(OTHERS.map(told)).toEqual(OTHERS.map(() => undefined));
  });
});
