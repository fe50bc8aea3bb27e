import { type Fate, IpvsOracle, type Sent, type Server, type Service, type Sysctls } from "./ipvs.js";
import { KernelServer, type Real, type SchedulerChoice } from "./schedulers.js";

/** What a real server is told to be. */
export interface Terms {
  readonly weight: number;
  readonly upper: number;
  readonly lower: number;
}

const VALUES = [24, 16, 8, 0];
const dotted = (address: number) => VALUES.map((shift) => (address >>> shift) & 255).join(".");
const numbered = (address: string) =>
  address.split(".").reduce((number, part) => number * 256 + Number(part), 0);

/** A whole director of one virtual server: connections chosen and counted, by the lists that a kernel keeps. IPv4. */
export class DirectorOracle {
  readonly sessions: IpvsOracle;
  readonly list: KernelServer;
  readonly #servers = new Map<string, Server>();

  constructor(
    sysctls: Sysctls,
    scheduler: SchedulerChoice,
    public service: Service,
  ) {
    this.sessions = new IpvsOracle(sysctls);
    this.list = new KernelServer(scheduler);
  }

  /** What a real server has, there or not. */
  serverOf({ address, port }: Pick<Real, "address" | "port">): Server {
    const key = `${address} ${port}`;
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const counts = { active: 0, inactive: 0, persistent: 0, isOverloaded: false };
    const server: Server = {
      ...{ address: dotted(address), port, weight: 0, upper: 0, lower: 0 },
      ...{ isDirect: false, isThere: false, ...counts },
    };
    this.#servers.set(key, server);
    return server;
  }

  /** Of the same address or port there is none. */
  add(address: number, port: number, { weight, upper, lower }: Terms): void {
    const server = this.serverOf({ address, port });
    this.list.add(address, port, weight);
    this.sessions.edit(server, upper, lower);
    Object.assign(server, { weight, isThere: true });
  }

  edit(real: Real, { weight, upper, lower }: Terms): void {
    const server = this.serverOf(real);
    this.list.setWeight(real, weight);
    this.sessions.edit(server, upper, lower);
    server.weight = weight;
  }

  remove(real: Real): void {
    this.list.remove(real);
    this.sessions.leave(this.serverOf(real));
  }

  meet(sent: Sent): Fate {
    const client = {
      src: numbered(sent.from.address),
      dst: numbered(sent.to.address),
      ports: sent.from.port * 65_536 + sent.to.port,
      protocol: sent.protocol,
    };
    return this.sessions.meet(sent, this.service, () => {
      for (const real of this.list.known) {
        const { active, inactive, isOverloaded } = this.serverOf(real);
        Object.assign(real, { active, inactive, isOverloaded });
      }
      const picked = this.list.pick(client, this.sessions.now);
      return picked && this.serverOf(picked);
    });
  }
}
