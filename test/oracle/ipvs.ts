import { isTcpActive, SCTP_TIMEOUTS, sctpStep, TCP_TIMEOUTS, tcpStep, type Way } from "./ipvs-states.js";

/** IPVS' connections as a person would keep them: a list, newest first, looked through again and again (ip_vs_conn.c, ip_vs_core.c). */

export interface End {
  readonly address: string;
  readonly port: number;
}

export interface Server extends End {
  weight: number;
  upper: number;
  lower: number;
  isDirect: boolean;
  isThere: boolean;
  isOverloaded: boolean;
  active: number;
  inactive: number;
  persistent: number;
}

export interface Service {
  /** The port that it is configured with, 0 for all; its mark, 0 for none. */
  readonly port: number;
  readonly mark: number;
  /** Seconds, undefined for none. */
  readonly persistence: number | undefined;
  readonly isOnePacket: boolean;
  /** What stands for a client's network. */
  readonly network: (client: string) => string;
}

export interface Sysctls {
  readonly expireNodest: boolean;
  readonly expireQuiescent: boolean;
  readonly reuseMode: number;
  readonly isSecure: boolean;
  /** Seconds, 0 for the kernel's own. */
  readonly timeouts: { readonly tcp: number; readonly fin: number; readonly udp: number };
}

export interface Sent {
  readonly protocol: number;
  readonly from: End;
  readonly to: End;
  /** TCP's, of S, F, R and A. */
  readonly flags: string;
  /** The first chunk of SCTP. */
  readonly chunk: number;
}

export interface Session {
  readonly protocol: number;
  readonly client: End;
  virtual: End;
  real: End;
  readonly server: Server;
  readonly isTemplate: boolean;
  readonly isOnePacket: boolean;
  state: number;
  isActive: boolean;
  isAnswered: boolean;
  timeout: number;
  expires: number;
  control: Session | undefined;
  held: number;
  packets: number;
}

export type Fate =
  | { readonly kind: "request" | "answer"; readonly session: Session }
  | { readonly kind: "refused" | "dropped" | "ignored" };

const TCP = 6;
const UDP = 17;
const SCTP = 132;
const FTP = 21;
const FTP_DATA = 20;
const GONE = 65535;
const PUT_OFF = 60_000;

const same = (left: End, right: End) => left.address === right.address && left.port === right.port;

export class IpvsOracle {
  /** Newest first. */
  sessions: Session[] = [];
  now = 0;

  constructor(readonly sysctls: Sysctls) {}

  /** Everything that is over until then ends; of the same millisecond templates last. */
  advance(now: number): void {
    while (true) {
      const due = this.sessions
        .filter(({ expires }) => expires <= now)
        .sort((a, b) => a.expires - b.expires || Number(a.isTemplate) - Number(b.isTemplate))[0];
      if (due === undefined) break;
      this.now = Math.max(this.now, due.expires);
      this.#expire(due);
    }
    this.now = Math.max(this.now, now);
  }

  #expire(session: Session): void {
    if (session.held > 0) {
      session.timeout = PUT_OFF;
      session.expires = this.now + PUT_OFF;
      return;
    }
    this.sessions = this.sessions.filter((other) => other !== session);
    const { control } = session;
    if (control !== undefined) {
      control.held--;
      if (session.timeout === 0 && control.held === 0 && control.state === 0) this.#delete(control);
    }
    this.#unbind(session);
  }

  #delete(session: Session): void {
    if (!this.sessions.includes(session)) return;
    if (session.control !== undefined) session.timeout = 0;
    this.#expire(session);
  }

  #bind(session: Session): void {
    const { server } = session;
    if (session.isTemplate) server.persistent++;
    else server.inactive++;
    if (server.upper !== 0 && server.active + server.inactive >= server.upper) server.isOverloaded = true;
  }

  #unbind({ server, isTemplate, isActive }: Session): void {
    if (isTemplate) server.persistent--;
    else if (isActive) server.active--;
    else server.inactive--;
    const total = server.active + server.inactive;
    if (server.lower !== 0 ? total < server.lower : server.upper === 0 || total * 4 < server.upper * 3)
      server.isOverloaded = false;
  }

  edit(server: Server, upper: number, lower: number): void {
    if (upper === 0 || upper > server.upper) server.isOverloaded = false;
    Object.assign(server, { upper, lower });
  }

  /** A server leaves: with expire_nodest_conn its sessions end. */
  leave(server: Server): void {
    server.isThere = false;
    if (!this.sysctls.expireNodest) return;
    for (const session of [...this.sessions]) {
      if (!this.sessions.includes(session) || session.server.isThere || session.held > 0) continue;
      const { control } = session;
      this.#delete(session);
      if (control?.held === 0) this.#delete(control);
    }
  }

  #requestOf({ protocol, from, to }: Sent): Session | undefined {
    if (from.port === 0) return undefined;
    return this.sessions.find(
      (one) =>
        !one.isTemplate &&
        !one.isOnePacket &&
        one.protocol === protocol &&
        same(one.client, from) &&
        same(one.virtual, to),
    );
  }

  #answerOf({ protocol, from, to }: Sent): Session | undefined {
    return this.sessions.find(
      (one) =>
        !one.isTemplate &&
        !one.isOnePacket &&
        one.protocol === protocol &&
        same(one.client, to) &&
        same(one.server.isDirect ? one.virtual : one.real, from),
    );
  }

  /** A packet; `choose` is the scheduler, which is not asked unless it is to pick a server. */
  meet(sent: Sent, service: Service | undefined, choose: () => Server | undefined): Fate {
    const answered = this.#answerOf(sent);
    if (answered !== undefined) {
      this.#follow(answered, sent, true);
      return { kind: "answer", session: answered };
    }
    let session = this.#requestOf(sent);
    if (session !== undefined && this.#isOver(session, sent)) {
      if (session.held === 0) session.expires = Math.min(session.expires, this.now + 1);
      session = undefined;
    }
    if (session !== undefined && !session.server.isThere) {
      if (!this.sysctls.expireNodest) return { kind: "dropped" };
      session.expires = Math.min(session.expires, this.now + 1);
      session = undefined;
    }
    if (session === undefined) {
      const begun = this.#begin(sent, service, choose);
      if (typeof begun === "string") return { kind: begun };
      session = begun;
    }
    this.#follow(session, sent, false);
    if (session.isOnePacket) this.#expire(session);
    return { kind: "request", session };
  }

  #isOver(session: Session, { protocol, flags, chunk }: Sent): boolean {
    const begins = protocol === TCP ? flags.includes("S") : protocol === SCTP && chunk === 1;
    if (!begins) return false;
    if (this.sysctls.expireNodest && session.server.weight === 0) return true;
    if (this.sysctls.reuseMode === 0 || session.control !== undefined) return false;
    if (protocol === SCTP) return session.state === 13;
    if (session.state === 5 || session.state === 6) return true;
    return (this.sysctls.reuseMode & 2) !== 0 && session.state === 4 && this.#isSilent(session);
  }

  #isSilent(session: Session): boolean {
    return session.server.isDirect && !session.isAnswered;
  }

  #begin(
    sent: Sent,
    service: Service | undefined,
    choose: () => Server | undefined,
  ): Session | "refused" | "ignored" {
    const { protocol, from, to, flags, chunk } = sent;
    const may =
      protocol === TCP ? flags.includes("S") && !flags.includes("R") : protocol === UDP || chunk === 1;
    if (!may || service === undefined || from.port === FTP_DATA) return "ignored";
    const refused = service.port === FTP && to.port !== FTP ? "ignored" : "refused";
    const isOwn = to.port === service.port;
    const open = (server: Server, own: boolean, control?: Session) =>
      this.#open({
        protocol,
        client: from,
        virtual: to,
        real: { address: server.address, port: own && server.port !== 0 ? server.port : to.port },
        server,
        isOnePacket: service.isOnePacket && protocol === UDP,
        timeout: 3000,
        control,
      });
    if (service.persistence === undefined) {
      if (service.mark === 0 && !isOwn) return refused;
      const chosen = choose();
      return chosen === undefined ? refused : open(chosen, true);
    }
    const isKept = isOwn && service.port !== FTP;
    const isMarked = !isOwn && service.mark !== 0;
    const key = {
      protocol: isMarked ? 0 : protocol,
      client: { address: service.network(from.address), port: 0 },
      virtual: isMarked
        ? { address: `mark ${service.mark}`, port: 0 }
        : { address: to.address, port: isKept ? to.port : 0 },
    };
    let template = this.#templateOf(key);
    if (template === undefined) {
      const chosen = choose();
      if (chosen === undefined) return refused;
      template = this.#open({
        ...key,
        real: { address: chosen.address, port: isKept ? chosen.port : 0 },
        server: chosen,
        isTemplate: true,
        timeout: service.persistence * 1000,
      });
    }
    const session = open(template.server, isOwn, template);
    template.held++;
    template.expires = this.now + template.timeout;
    return session;
  }

  /** A template whose server takes nothing is renamed. */
  #templateOf(key: Pick<Session, "protocol" | "client" | "virtual">): Session | undefined {
    const template = this.sessions.find(
      (one) =>
        one.isTemplate &&
        one.protocol === key.protocol &&
        same(one.client, key.client) &&
        same(one.virtual, key.virtual),
    );
    if (template === undefined) return undefined;
    const { server } = template;
    if (server.isThere && !(this.sysctls.expireQuiescent && server.weight === 0)) return template;
    if (template.virtual.port !== GONE) {
      template.virtual = { ...template.virtual, port: GONE };
      template.real = { ...template.real, port: GONE };
      this.sessions = [template, ...this.sessions.filter((other) => other !== template)];
    }
    return undefined;
  }

  #open(
    parts: Pick<Session, "protocol" | "client" | "virtual" | "real" | "server" | "timeout"> &
      Partial<Session>,
  ): Session {
    const session: Session = {
      isTemplate: false,
      isOnePacket: false,
      control: undefined,
      ...parts,
      state: 0,
      isActive: false,
      isAnswered: false,
      expires: this.now + parts.timeout,
      held: 0,
      packets: 0,
    };
    this.#bind(session);
    this.sessions = [session, ...this.sessions];
    return session;
  }

  #follow(session: Session, sent: Sent, isAnswer: boolean): void {
    if (isAnswer) session.isAnswered = true;
    const way: Way = isAnswer ? "out" : this.#isSilent(session) ? "alone" : "in";
    if (sent.protocol === TCP) this.#followTcp(session, way, sent.flags);
    else if (sent.protocol === SCTP) this.#followSctp(session, way, sent.chunk);
    else {
      session.timeout = (this.sysctls.timeouts.udp || 300) * 1000;
      if (isAnswer && session.control !== undefined) session.control.state = 1;
    }
    if (!isAnswer) {
      if (!session.isOnePacket) session.packets++;
      else if (session.control !== undefined) session.control.packets++;
    }
    session.expires = this.now + session.timeout;
  }

  #followTcp(session: Session, way: Way, flags: string): void {
    const { tcp, fin } = this.sysctls.timeouts;
    const next = tcpStep(way, flags, session.state, this.sysctls.isSecure);
    this.#moveTo(session, next, isTcpActive(next), next === 1);
    const seconds = next === 1 && tcp !== 0 ? tcp : next === 4 && fin !== 0 ? fin : TCP_TIMEOUTS[next];
    session.timeout = (seconds as number) * 1000;
  }

  #followSctp(session: Session, way: Way, chunk: number): void {
    const next = sctpStep(way, chunk, session.state);
    this.#moveTo(session, next, next === 8, next === 8);
    session.timeout = (SCTP_TIMEOUTS[next] as number) * 1000;
  }

  #moveTo(session: Session, next: number, isActive: boolean, isEstablished: boolean): void {
    if (next === session.state) return;
    session.state = next;
    if (isEstablished && session.control !== undefined) session.control.state = 1;
    if (session.isActive === isActive) return;
    session.isActive = isActive;
    session.server.active += isActive ? 1 : -1;
    session.server.inactive += isActive ? -1 : 1;
  }
}
