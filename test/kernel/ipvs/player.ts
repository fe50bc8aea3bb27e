import { type ChildProcess, spawn } from "node:child_process";

/** A packet that the node took in or gave out. */
export interface SeenPacket {
  readonly direction: "in" | "out";
  readonly way: string;
  readonly frame: Uint8Array;
}

/** What became of an order. */
export interface Answer {
  readonly seen: readonly SeenPacket[];
  readonly lines: readonly string[];
  readonly status: number;
  /** Milliseconds since the player began. */
  readonly at: number;
}

export const frameOrder = (way: string, frame: Uint8Array): string =>
  `frame ${way} ${Buffer.from(frame).toString("hex")}\n`;
export const readOrder = (path: string): string => `read ${path}\n`;
/** The same, but nothing where it is as it was when it was last asked for. */
export const newsOrder = (path: string): string => `news ${path}\n`;
/** A setting of the kernel by its name, as `net.ipv4.vs.conntrack`. */
export const setOrder = (name: string, value: number): string =>
  `set ${name.replaceAll(".", "/")} ${value}\n`;
export const waitOrder = (milliseconds: number): string => `wait ${milliseconds}\n`;
/** Lines for `ipvsadm --restore`. */
export const restoreOrder = (lines: string): string => `restore ${Buffer.byteLength(lines)}\n${lines}`;
/** A program of the node's namespace, and what it reads. */
export const feedOrder = (words: readonly string[], input = ""): string =>
  `feed ${Buffer.byteLength(input)} ${words.join(" ")}\n${input}`;

function answerOf(lines: readonly string[]): Answer {
  const seen: SeenPacket[] = [];
  const said: string[] = [];
  for (const line of lines) {
    const [head = "", way = "", hex = ""] = line.split(" ", 3);
    if (head === ">") said.push(line.slice(2));
    else if (head === "in" || head === "out")
      seen.push({ direction: head, way, frame: Uint8Array.from(Buffer.from(hex, "hex")) });
  }
  const [, status = "1", at = "0"] = lines.at(-1)?.split(" ") ?? [];
  return { seen, lines: said, status: Number(status), at: Number(at) };
}

/** A program that is given orders, and what it answers. */
export class Player {
  readonly #process: ChildProcess;
  readonly #died: Promise<never>;
  readonly #waiting: ((lines: readonly string[]) => void)[] = [];
  #lines: string[] = [];
  #rest = "";
  #complaints = "";

  constructor(program: string, words: readonly string[]) {
    this.#process = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#process;
    stdout?.on("data", (octets: Buffer) => this.#hear(octets.toString("latin1")));
    stderr?.on("data", (octets: Buffer) => {
      this.#complaints += octets.toString();
    });
    this.#died = new Promise((_, reject) =>
      this.#process.once("close", (status, signal) =>
        reject(new Error(`The player ended (${signal ?? status}): ${this.#complaints}`)),
      ),
    );
    // Whoever gives orders hears of it, and of what it complained of.
    this.#died.catch(() => {});
    stdin?.on("error", () => {});
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#lines.push(line);
      if (!line.startsWith("done ")) continue;
      this.#waiting.shift()?.(this.#lines);
      this.#lines = [];
    }
  }

  /** Gives orders; resolves to an answer each. */
  order(...orders: readonly string[]): Promise<readonly Answer[]> {
    const answers = orders.map(
      () => new Promise<Answer>((resolve) => this.#waiting.push((lines) => resolve(answerOf(lines)))),
    );
    this.#process.stdin?.write(orders.join(""));
    return Promise.race([Promise.all(answers), this.#died]);
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
