import { type Batch, type Director, tcp, udp } from "../../src/index.js";
import { describePacket } from "../../src/packet/describe.js";

/** Clients of a director, and the real servers that answer them. */
export class Clients {
  readonly #director: Director;
  readonly #batch: Batch;
  readonly #in: number;
  /** Milliseconds. */
  now = 0;

  constructor(director: Director) {
    this.#director = director;
    this.#batch = director.batch(1);
    this.#in = director.engine.numbering.interfaces.findIndex(({ name }) => name === "eth0") + 1;
  }

  /** What becomes of a frame; undefined where it does not go on. */
  send(frame: Uint8Array): Uint8Array | undefined {
    this.#batch.set(0, frame, this.#in);
    this.#director.run(this.#batch, this.now);
    return this.#batch.verdict(0) === "FORWARD" ? this.#batch.frame(0).slice() : undefined;
  }

  /** The real server that a datagram gets to, as `IP:port`; null where it is refused. */
  say(client: string, service: string): string | null {
    return realOf(this.send(udp(client, service)));
  }

  /** The same of a TCP connection, which is open then. */
  open(client: string, service: string): string | null {
    const real = realOf(this.send(tcp(client, service, { flags: "S", seq: 1 })));
    if (real === null) return null;
    this.send(tcp(real, client, { flags: "SA", seq: 1, ack: 2 }));
    this.send(tcp(client, service, { flags: "A", seq: 2, ack: 2 }));
    return real;
  }

  /** Both ends close an open TCP connection, the client first. */
  close(client: string, service: string, real: string): void {
    this.send(tcp(client, service, { flags: "FA", seq: 2, ack: 2 }));
    this.send(tcp(real, client, { flags: "FA", seq: 2, ack: 3 }));
    this.send(tcp(client, service, { flags: "A", seq: 3, ack: 3 }));
  }
}

function realOf(frame: Uint8Array | undefined): string | null {
  if (frame === undefined) return null;
  const { dst, dstPort } = describePacket(frame);
  return dst?.includes(":") ? `[${dst}]:${dstPort}` : `${dst}:${dstPort}`;
}
