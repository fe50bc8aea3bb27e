import { type ChildProcess, spawn } from "node:child_process";
import { Octets } from "../../../src/io/capture.js";

const FILE_HEADER_LEN = 24;
const RECORD_HEADER_LEN = 16;
const RECORD_CAPTURED = 8;
/** Each packet that waits to be read takes so much room: more would leave room for few. */
const SNAP_LENGTH = 2_048;
/** What the kernel keeps for a capture that is read late. */
const BUFFER_KIB = 65_536;

/** Takes a classic pcap file apart as it arrives. */
class PcapStream {
  #rest = Buffer.alloc(0);
  #isBegun = false;

  /** The packets that are complete with these octets. */
  push(octets: Buffer): Uint8Array[] {
    const all = Buffer.concat([this.#rest, octets]);
    let at = 0;
    if (!this.#isBegun) {
      if (all.length < FILE_HEADER_LEN) return this.#keep(all, 0, []);
      this.#isBegun = true;
      at = FILE_HEADER_LEN;
    }
    const numbers = new Octets(all, true);
    const packets: Uint8Array[] = [];
    while (all.length - at >= RECORD_HEADER_LEN) {
      const end = at + RECORD_HEADER_LEN + numbers.u32(at + RECORD_CAPTURED);
      if (all.length < end) break;
      packets.push(new Uint8Array(all.subarray(at + RECORD_HEADER_LEN, end)));
      at = end;
    }
    return this.#keep(all, at, packets);
  }

  #keep(all: Buffer, from: number, packets: Uint8Array[]): Uint8Array[] {
    this.#rest = Buffer.from(all.subarray(from));
    return packets;
  }
}

/** What tcpdump is to hear at an interface of a namespace: what arrives there. */
export function tcpdumpIn(space: string, device: string): string[] {
  const words = [
    "-i",
    device,
    "-s",
    String(SNAP_LENGTH),
    "-U",
    "--immediate-mode",
    "-B",
    String(BUFFER_KIB),
    "-Z",
    "root",
    "-Q",
    "in",
  ];
  return ["ip", "netns", "exec", space, "tcpdump", ...words, "-w", "-"];
}

/** A program that is listening, whose packets are handed on as they come. */
export class CaptureStream {
  readonly #process: ChildProcess;
  #complaints = "";

  private constructor(process: ChildProcess, heard: (packet: Uint8Array) => void) {
    this.#process = process;
    const stream = new PcapStream();
    process.stdout?.on("data", (octets: Buffer) => {
      for (const packet of stream.push(octets)) heard(packet);
    });
    process.stderr?.on("data", (octets: Buffer) => {
      this.#complaints += octets.toString();
    });
  }

  /** Starts a program that writes a pcap file to its standard output; resolves once it misses nothing any more. */
  static async open(command: readonly string[], heard: (packet: Uint8Array) => void): Promise<CaptureStream> {
    const [program = "", ...words] = command;
    const capture = new CaptureStream(spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] }), heard);
    await capture.#listening();
    return capture;
  }

  #listening(): Promise<void> {
    const { stderr } = this.#process;
    return new Promise((resolve, reject) => {
      stderr?.on("data", () => this.#complaints.includes("listening on") && resolve());
      this.#process.once("exit", () => reject(new Error(`A capture ended: ${this.#complaints}`)));
    });
  }

  /** Ends it; resolves to how many packets the kernel found no room for. */
  async close(): Promise<number> {
    const ended = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.removeAllListeners("exit");
    this.#process.kill("SIGTERM");
    await ended;
    return Number(/(\d+) packets? dropped by kernel/.exec(this.#complaints)?.[1] ?? 0);
  }
}
