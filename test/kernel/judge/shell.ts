import { spawnSync } from "node:child_process";

/** Something that the judge needs is not here; the message says what. */
export class NotHere extends Error {}

/** Runs a program to its end and gives what it printed. Error with what it complained of. */
export function call(program: string, words: readonly string[], input = ""): string {
  const done = spawnSync(program, words, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.error !== undefined) throw new NotHere(`There is no ${program} here: ${done.error.message}`);
  if (done.status === 0) return done.stdout;
  throw new Error(`${program} ${words.join(" ")} failed: ${done.stderr.trim()}`);
}

/** The same within a named network namespace. */
export function callIn(space: string, program: string, words: readonly string[], input = ""): string {
  return call("ip", ["netns", "exec", space, program, ...words], input);
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

const isThere = (program: string) =>
  spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).status === 0;

/** NotHere unless this is Linux, the user root, every program installed and a network namespace allowed. */
export function expectKernel(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new NotHere("The kernel is only asked by root on Linux.");
  }
  const absent = Object.entries(PROGRAMS).filter(([program]) => !isThere(program));
  if (absent.length > 0) {
    const packages = [...new Set(absent.map(([, owner]) => owner))].join(" ");
    throw new NotHere(
      `There is no ${absent.map(([name]) => name).join(", ")} here: apt-get install ${packages}`,
    );
  }
  try {
    call("unshare", ["--net", "true"]);
  } catch (cause) {
    throw new NotHere("Network namespaces are not allowed here.", { cause });
  }
}
