import { type Ip, printIp } from "../net/ip.js";
import { type Mac, parseMac, printMac } from "../net/mac.js";
import { readLines, type Words } from "./words.js";

/** `bridge fdb`: a remote VTEP's MAC → the node behind it. */
export interface FdbEntry {
  readonly mac: Mac;
  readonly dev: string;
  readonly dst: Ip;
}

/** As `bridge fdb show` prints the permanent entries of VXLAN devices. */
export function printFdb(entries: readonly FdbEntry[]): string {
  return entries
    .map(({ mac, dev, dst }) => `${printMac(mac)} dev ${dev} dst ${printIp(dst)} self permanent\n`)
    .join("");
}

const FLAGS = new Set(["self", "permanent", "static", "extern_learn", "offload", "sticky"]);

function readFdbEntry(words: Words): FdbEntry | undefined {
  const mac = words.read("a MAC address", parseMac);
  words.expect("dev");
  const dev = words.next("a device");
  while (!words.done && words.peek() !== "dst") words.next("an attribute");
  if (!words.take("dst")) return undefined;
  const dst = words.readIp();
  while (!words.done) {
    const flag = words.next("a flag");
    if (!FLAGS.has(flag)) throw words.refusal(`«${flag}» is not modelled in an entry of a VXLAN device.`);
  }
  return { mac, dev, dst };
}

/**
 * Reads what `bridge fdb show` prints, inverse of printFdb. Entries without `dst` belong to bridges and plain
 * devices and are passed over. Throws InputError naming the lines it does not understand.
 */
export function parseFdb(text: string, file: string): readonly FdbEntry[] {
  return readLines(text, file, readFdbEntry);
}
