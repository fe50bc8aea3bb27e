import { Option } from "commander";
import { type Engine, listedConnection, listServers, printIpvsConnections, printServers } from "../index.js";
import { printIp } from "../net/ip.js";
import { type HostPort, printHostPort } from "../net/port.js";
import { serviceName } from "../ruleset/ipvs.js";
import { UsageError } from "./errors.js";

const LISTS = ["stats", "servers", "connections", "thresholds", "persistent-conn", "tun-info"] as const;
export type List = (typeof LISTS)[number];

/** `--list`: of a node in mode ipvs, after packets. */
export function listOption(): Option {
  return new Option(
    "--list [what]",
    "then list virtual servers as ipvsadm -Ln does, or its connections (mode ipvs)",
  )
    .choices(LISTS)
    .preset("stats");
}

/** UsageError where the node has no virtual servers to list. */
export function checkList(list: List | undefined, mode: string): void {
  if (list === undefined || mode === "ipvs") return;
  throw new UsageError(`--list ${list}: a node in mode ${mode} has no virtual servers: give --mode ipvs.`);
}

/** What ipvsadm prints when it is asked at `now`, in milliseconds. */
export function printList(engine: Engine, list: List, now: number): string {
  if (list === "connections") return printIpvsConnections(engine.ipvsConnections(now).map(listedConnection));
  return printServers(engine, { now, ...(list === "servers" ? {} : { columns: list }) });
}

const printEnd = ({ address, port }: HostPort) => printHostPort(address, port);

/** The same for programs: all that ipvsadm's listings say. */
export function listAsData(engine: Engine, now: number): Readonly<Record<string, unknown>> {
  return {
    virtualServers: listServers(engine, now).map(({ service, statistics, servers }) => ({
      name: serviceName(service),
      ...statistics,
      realServers: servers.map((server) => ({ ...server, address: printIp(server.address) })),
    })),
    connections: engine.ipvsConnections(now).map((one) => {
      const { protocol, expires, state } = listedConnection(one);
      const { client, virtual, real } = one;
      const ends = { client: printEnd(client), virtual: printEnd(virtual), real: printEnd(real) };
      return { protocol, expires, state, ...ends };
    }),
  };
}
