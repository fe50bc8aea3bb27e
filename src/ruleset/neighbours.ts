import { type Ip, printIp } from "../net/ip.js";
import { type Mac, parseMac, printMac } from "../net/mac.js";
import { readLines, type Words } from "./words.js";

/** `ip neigh`: address → MAC on an interface. */
export interface Neighbour {
  readonly address: Ip;
  readonly dev: string;
  readonly mac: Mac;
}

/** As `ip neigh` prints permanent neighbours, in the order given (the kernel's is that of its hash table). */
export function printNeighbours(neighbours: readonly Neighbour[]): string {
  return neighbours
    .map(({ address, dev, mac }) => `${printIp(address)} dev ${dev} lladdr ${printMac(mac)} PERMANENT\n`)
    .join("");
}

const UNRESOLVED = new Set(["FAILED", "INCOMPLETE", "NONE"]);
const RESOLVED = new Set(["PERMANENT", "NOARP", "REACHABLE", "STALE", "DELAY", "PROBE"]);
const FLAGS = new Set(["router", "extern_learn", "offload", "managed"]);

function readNeighbour(words: Words): Neighbour | undefined {
  const address = words.readIp();
  words.expect("dev");
  const dev = words.next("a device");
  const mac = words.take("lladdr") ? words.read("a MAC address", parseMac) : undefined;
  while (FLAGS.has(words.peek() ?? "")) words.next("a flag");
  const state = words.next("a state (PERMANENT, REACHABLE, …)");
  if (!words.done || !(RESOLVED.has(state) || UNRESOLVED.has(state))) {
    throw words.refusal(`«${state}» is not a neighbour's state; give the listing of \`ip neigh\`.`);
  }
  if (UNRESOLVED.has(state)) return undefined;
  if (mac === undefined) throw words.refusal(`the neighbour is ${state} but has no MAC address (lladdr).`);
  return { address, dev, mac };
}

/**
 * Reads what `ip neigh` prints, inverse of printNeighbours. Every resolved state is read as permanent;
 * unresolved neighbours are passed over. Throws InputError naming the lines it does not understand.
 */
export function parseNeighbours(text: string, file: string): readonly Neighbour[] {
  return readLines(text, file, readNeighbour);
}
