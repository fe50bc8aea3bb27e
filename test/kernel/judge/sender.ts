import { type ChildProcess, spawn } from "node:child_process";

/** A packet to send: the number of the way, and a frame, or an IP packet where the way is the node itself. */
export interface Sending {
  readonly way: number;
  readonly octets: Uint8Array;
}

const RECORD_LEN = 4;

function recordsOf(sendings: readonly Sending[]): Buffer {
  const length = sendings.reduce((sum, { octets }) => sum + RECORD_LEN + octets.length, RECORD_LEN);
  const records = Buffer.alloc(length);
  let at = 0;
  for (const { way, octets } of sendings) {
    records.writeUInt16LE(way, at);
    records.writeUInt16LE(octets.length, at + 2);
    records.set(octets, at + RECORD_LEN);
    at += RECORD_LEN + octets.length;
  }
  return records; // The last record is empty: it asks for the answer.
}

/** The program that sends packets by several ways in one order. */
export class Sender {
  readonly #process: ChildProcess;
  #complaints = "";

  constructor(program: string, ways: readonly string[]) {
    this.#process = spawn(program, ways, { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stderr?.on("data", (octets: Buffer) => {
      this.#complaints += octets.toString();
    });
    this.#process.stdin?.on("error", () => {});
  }

  /** Sends them all; resolves once the last one has gone. */
  send(sendings: readonly Sending[]): Promise<void> {
    const { stdout, stdin } = this.#process;
    return new Promise((resolve, reject) => {
      const died = () => reject(new Error(`The sender ended: ${this.#complaints}`));
      this.#process.once("exit", died);
      stdout?.once("data", () => {
        this.#process.off("exit", died);
        resolve();
      });
      stdin?.write(recordsOf(sendings));
    });
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
