import { spawnSync } from "node:child_process";

/** Something that the judge needs is not here; the message says what. */
export class NotHere extends Error {}

/** A program to run, and what it reads. */
export interface Call {
  readonly program: string;
  readonly words: readonly string[];
  readonly input?: string;
}

/** The same within a named network namespace. */
export function within(space: string, { program, words, input }: Call): Call {
  const moved = { program: "ip", words: ["netns", "exec", space, program, ...words] };
  return input === undefined ? moved : { ...moved, input };
}

/** A word as the shell takes it for one. */
export const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

const END_OF_INPUT = "end of input";

function lineOf({ program, words, input }: Call): string {
  const command = [program, ...words].map(quoted).join(" ");
  const refusal = `{ echo ${quoted(`${program} ${words.join(" ")} failed.`)} >&2; exit 1; }`;
  if (input === undefined) return `${command} </dev/null || ${refusal}\n`;
  const text = input.endsWith("\n") ? input : `${input}\n`;
  return `${command} <<'${END_OF_INPUT}' || ${refusal}\n${text}${END_OF_INPUT}\n`;
}

/** Runs programs one after another. Error with what was complained of where one fails. */
export function run(calls: readonly Call[]): void {
  const input = calls.map(lineOf).join("");
  const done = spawnSync("sh", [], { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(done.stderr.trim());
}

/** Programs and the Debian packages that have them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  "iptables-legacy-restore": "iptables",
  "iptables-nft-restore": "iptables",
  ipset: "ipset",
  tcpdump: "tcpdump",
  conntrack: "conntrack",
  ethtool: "ethtool",
  cc: "gcc and libc6-dev",
};

/** Those that user-mode Linux takes beside them. */
const UML_PROGRAMS: Readonly<Record<string, string>> = {
  "linux.uml": "user-mode-linux",
  modprobe: "kmod",
  ipvsadm: "ipvsadm",
};

const isThere = (program: string) =>
  spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).status === 0;

function expectPrograms(programs: Readonly<Record<string, string>>): void {
  const absent = Object.entries(programs).filter(([program]) => !isThere(program));
  if (absent.length === 0) return;
  const packages = [...new Set(absent.map(([, owner]) => owner))].join(" ");
  throw new NotHere(
    `There is no ${absent.map(([name]) => name).join(", ")} here: apt-get install ${packages}`,
  );
}

/** NotHere unless this is Linux, the user root, every program installed and a network namespace allowed. */
export function expectKernel(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new NotHere("The kernel is only asked by root on Linux.");
  }
  expectPrograms(PROGRAMS);
  try {
    run([{ program: "unshare", words: ["--net", "true"] }]);
  } catch (cause) {
    throw new NotHere("Network namespaces are not allowed here.", { cause });
  }
}

/** NotHere unless user-mode Linux is installed. */
export function expectUml(): void {
  expectPrograms(UML_PROGRAMS);
}
