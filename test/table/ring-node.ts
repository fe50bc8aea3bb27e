import * as server from "../../assembly/abi/server.js";
import { printIp } from "../../src/net/ip.js";
import { tcp, udp } from "../../src/packet/build.js";
import { describePacket } from "../../src/packet/describe.js";
import { BareNode, ip4 } from "../bare-node.js";
import type { Client, KernelServer, SchedulerChoice } from "../oracle/schedulers.js";

const CODES: Readonly<Record<string, number>> = {
  rr: server.SCHEDULER_RR,
  wrr: server.SCHEDULER_WRR,
  sh: server.SCHEDULER_SH,
  dh: server.SCHEDULER_DH,
  mh: server.SCHEDULER_MH,
  maglev: server.SCHEDULER_MAGLEV,
  lc: server.SCHEDULER_LC,
  wlc: server.SCHEDULER_WLC,
  sed: server.SCHEDULER_SED,
  nq: server.SCHEDULER_NQ,
  lblc: server.SCHEDULER_LBLC,
  lblcr: server.SCHEDULER_LBLCR,
  fo: server.SCHEDULER_FO,
  ovf: server.SCHEDULER_OVF,
  twos: server.SCHEDULER_TWOS,
};

/** The machine's word for a scheduler. */
export function schedulerWord({ name, flags = [] }: SchedulerChoice): number {
  const port = flags.some((flag) => flag.endsWith("-port")) ? server.SCHEDULER_FLAG_PORT : 0;
  const fallback = flags.some((flag) => flag.endsWith("-fallback")) ? server.SCHEDULER_FLAG_FALLBACK : 0;
  return (CODES[name] ?? 0xff) | port | fallback;
}

export const clientOf = (src: string, sport: number, vip: string, vport = 80, protocol = 17): Client => ({
  src: ip4(src),
  dst: ip4(vip),
  ports: ((sport << 16) | vport) >>> 0,
  protocol,
});

/** A node with one virtual server, whose clients are never known from before. */
export class RingNode {
  private constructor(
    readonly node: BareNode,
    readonly vip: string,
    readonly protocol: number,
  ) {}

  static async make(vip = "10.96.0.10", protocol = 17): Promise<RingNode> {
    const node = (await BareNode.make({ connections: 1024 }))
      .route("0.0.0.0/0", { kind: "direct", out: 2 })
      .route(`${vip}/32`, { kind: "local" });
    return new RingNode(node, vip, protocol);
  }

  /** The servers that the kernel's list has, in the order of their addition. */
  take(server: KernelServer, vport = 80): this {
    const { scheduler } = server;
    const rows = server.oldestFirst.map(
      ({ address, port, weight, lastWeight }) => [printIp(address), port, weight, lastWeight] as const,
    );
    const options = { scheduler: schedulerWord(scheduler), size: scheduler.size ?? 0 };
    this.node.service(0, [this.vip, this.protocol, vport], rows, options);
    return this;
  }

  /** Where new connections go, as `address:port`; null where one is refused. */
  picks(clients: readonly Client[]): (string | null)[] {
    const { machine, address, state } = this.node.image;
    const build = this.protocol === 17 ? udp : tcp;
    const picked: (string | null)[] = [];
    for (let first = 0; first < clients.length; first += 256) {
      machine.flowsClear(state);
      machine.sessionsClear(address, state);
      const frames = clients
        .slice(first, first + 256)
        .map(({ src, dst, ports }) =>
          build(`${printIp(src)}:${ports >>> 16}`, `${printIp(dst)}:${ports & 0xffff}`),
        );
      for (const { verdict, reason, frame } of this.node.run(frames)) {
        const { dst, dstPort } = describePacket(frame);
        if (verdict !== "FORWARD" && reason !== "NO_DESTINATION") throw new Error(`${verdict}: ${reason}`);
        picked.push(verdict === "FORWARD" ? `${dst}:${dstPort}` : null);
      }
    }
    return picked;
  }
}

/** What the oracle picks for the same clients. */
export function expectedPicks(server: KernelServer, clients: readonly Client[]): (string | null)[] {
  return clients.map((client) => {
    const real = server.pick(client);
    return real === undefined ? null : `${printIp(real.address)}:${real.port}`;
  });
}
