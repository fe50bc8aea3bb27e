import {
  flagsOf,
  type IpvsTimeouts,
  type RealServer,
  SCHEDULERS,
  type Scheduler,
  type SchedulerFlag,
  type ServiceMatch,
  type ServiceSettings,
  type Tunnel,
} from "./ipvs.js";
import { type Given, type Named, readGiven } from "./ipvs-line.js";
import { type Draft, OPTIONS, OTHER_VERBS, readNumber, VERBS, type Verb } from "./ipvs-options.js";
import type { IpvsTable, RealServerMatch } from "./ipvs-table.js";
import type { Words } from "./words.js";

/** One line of what `ipvsadm -R` reads, as the tool understands it. */
export type IpvsCommand =
  | { readonly verb: "add-service" | "edit-service"; readonly service: ServiceMatch & ServiceSettings }
  | { readonly verb: "delete-service"; readonly service: ServiceMatch }
  | {
      readonly verb: "add-server" | "edit-server";
      readonly service: ServiceMatch;
      readonly server: RealServer;
    }
  | { readonly verb: "delete-server"; readonly service: ServiceMatch; readonly server: RealServerMatch }
  | { readonly verb: "clear" }
  /** Counters of one service, or of all: nothing that is listed. */
  | { readonly verb: "zero"; readonly service?: ServiceMatch }
  | { readonly verb: "set"; readonly timeouts: IpvsTimeouts };

const OPTION_OF = new Map(OPTIONS.map((one) => [one.name, one]));

const spelled = ({ name, short }: Named) => (short === undefined ? `--${name}` : `-${short}`);

function readVerb(named: Named | undefined, word: string, words: Words): Verb {
  const verb = (Object.keys(VERBS) as Verb[]).find((one) => one === named?.name);
  if (verb !== undefined) return verb;
  if (named !== undefined && named.name in OTHER_VERBS) {
    throw words.refusal(`${spelled(named)} changes no virtual server: leave this line out.`);
  }
  throw words.refusal(`«${word}» is not a command (-A, -E, -D, -a, -e, -d, -C, -Z, --set).`);
}

/** What options say, after all were looked at: TypeError as InputError of the line for those that do not go together. */
function readDraft(verb: Verb, given: readonly Given[], words: Words): Draft {
  const draft: Draft = {};
  const taken = new Map<string, Named>();
  for (const [named, value] of given) {
    const option = OPTION_OF.get(named.name);
    if (option === undefined)
      throw words.refusal(`the line has two commands: ${spelled(named)} is one too many.`);
    if (!option.of.includes(verb)) throw words.refusal(`--${verb} takes no ${spelled(named)}.`);
    const before = taken.get(option.slot);
    if (before !== undefined && option.slot !== "") {
      throw words.refusal(
        `the line gives its ${option.slot} twice: ${spelled(before)} and ${spelled(named)}.`,
      );
    }
    taken.set(option.slot, named);
    option.read(draft, value, words);
  }
  return draft;
}

function there<T>(value: T | undefined, words: Words, what: string): T {
  if (value === undefined) throw words.refusal(`the line does not say ${what}.`);
  return value;
}

const serviceOf = (draft: Draft, words: Words) =>
  there(draft.service, words, "which virtual service it is about (-t, -u, --sctp-service or -f)");

/** Numbered flags are the same bits; of sh and mh the third has no effect, and is not listed either. */
function readFlags(text: string, scheduler: Scheduler, words: Words): readonly SchedulerFlag[] {
  const known = flagsOf(scheduler);
  const given = text.split(",").filter((word) => word !== "");
  const flags = given.map((word) => {
    const numbered = /^flag-([123])$/.exec(word)?.[1];
    const flag = numbered === undefined ? known.find((one) => one === word) : known[Number(numbered) - 1];
    if (flag === undefined && numbered === undefined)
      throw words.refusal(`«${word}» is not a flag of scheduler ${scheduler} (${known.join(", ")}).`);
    return flag;
  });
  if (given.length === 0) throw words.refusal(`«${text}» is not a list of flags (${known.join(", ")}).`);
  return known.filter((flag) => flags.includes(flag));
}

function readScheduler(name: string, words: Words): Scheduler {
  const found = SCHEDULERS.find((one) => one === name);
  if (found !== undefined) return found;
  throw words.refusal(`«${name}» is not a scheduler this program models (${SCHEDULERS.join(", ")}).`);
}

function readSettings(draft: Draft, words: Words): ServiceSettings {
  const scheduler = readScheduler(draft.scheduler ?? "wlc", words);
  const flags = draft.flags === undefined ? [] : readFlags(draft.flags, scheduler, words);
  const { persistence, netmask, onePacket } = draft;
  return {
    scheduler,
    ...(flags.length === 0 ? {} : { flags }),
    ...(persistence === undefined ? {} : { persistence }),
    ...(netmask === undefined || persistence === undefined ? {} : { netmask }),
    ...(onePacket === undefined ? {} : { onePacket }),
  };
}

/** Which types of tunnel have a port and checksums. */
function readTunnel({ tunnel = "ipip", tunnelPort, checksum }: Draft, words: Words): Tunnel {
  if (tunnel === "gue") {
    const port = there(tunnelPort, words, "the tunnel's port (--tun-port), as gue needs");
    return { tunnel, port, ...(checksum === undefined || checksum === "nocsum" ? {} : { checksum }) };
  }
  if (tunnelPort !== undefined) throw words.refusal(`tunnels of type ${tunnel} have no port (--tun-port).`);
  if (checksum === undefined) return tunnel === "gre" ? { tunnel } : { tunnel: "ipip" };
  if (tunnel === "ipip" || checksum === "remcsum")
    throw words.refusal(`tunnels of type ${tunnel} have no --tun-${checksum}.`);
  return checksum === "csum" ? { tunnel: "gre", checksum } : { tunnel: "gre" };
}

function readForwarding(draft: Draft, words: Words): RealServer["forwarding"] {
  const { forwarding = "direct", tunnel, tunnelPort, checksum } = draft;
  if (forwarding === "tunnel") return readTunnel(draft, words);
  if (tunnel !== undefined || tunnelPort !== undefined || checksum !== undefined) {
    throw words.refusal("only a server that is reached by a tunnel (-i) has options of one (--tun-…).");
  }
  return forwarding === "direct" ? "direct" : undefined;
}

function realOf({ real }: Draft, words: Words): RealServerMatch {
  return there(real, words, "which real server it is about (-r)");
}

function readServer(draft: Draft, words: Words): RealServer {
  const { weight = 1, upperThreshold = 0, lowerThreshold = 0 } = draft;
  const forwarding = readForwarding(draft, words);
  return {
    ...realOf(draft, words),
    weight,
    ...(forwarding === undefined ? {} : { forwarding }),
    ...(upperThreshold === 0 ? {} : { upperThreshold }),
    ...(lowerThreshold === 0 ? {} : { lowerThreshold }),
  };
}

/** 0 leaves a timeout as it is. */
function readTimeouts(given: readonly string[], words: Words): IpvsTimeouts {
  if (given.length < 3) throw words.refusal("--set takes three timeouts: tcp, tcpfin and udp, in seconds.");
  const [tcp = 0, tcpFin = 0, udp = 0] = given.map((word) =>
    readNumber(word, "a number of seconds", [0, 86_400 * 31], words),
  );
  return { ...(tcp > 0 ? { tcp } : {}), ...(tcpFin > 0 ? { tcpFin } : {}), ...(udp > 0 ? { udp } : {}) };
}

function commandOf(verb: Verb, draft: Draft, others: readonly string[], words: Words): IpvsCommand {
  switch (verb) {
    case "add-service":
    case "edit-service":
      return { verb, service: { ...serviceOf(draft, words), ...readSettings(draft, words) } };
    case "delete-service":
      return { verb, service: serviceOf(draft, words) };
    case "add-server":
    case "edit-server":
      return { verb, service: serviceOf(draft, words), server: readServer(draft, words) };
    case "delete-server":
      return { verb, service: serviceOf(draft, words), server: realOf(draft, words) };
    case "zero":
      return { verb, ...(draft.service === undefined ? {} : { service: draft.service }) };
    case "clear":
      return { verb };
    case "set":
      return { verb, timeouts: readTimeouts(others, words) };
  }
}

/**
 * Reads one line as ipvsadm does (popt): the command first, long or short options behind it in any order, values in the
 * next word or joined. InputError naming the line for what the tool refuses.
 */
export function readCommand(words: Words): IpvsCommand {
  const word = words.peek() ?? "";
  const { given, others } = readGiven(words);
  const [[first] = [], ...options] = given;
  const verb = readVerb(first, word, words);
  const draft = readDraft(verb, options, words);
  const stray = others[verb === "set" ? 3 : 0];
  if (stray !== undefined) throw words.refusal(`«${stray}» stands where an option should.`);
  return commandOf(verb, draft, others, words);
}

/** Does to virtual servers what a command says. TypeError for what a kernel refuses; nothing is changed then. */
export function takeCommand(table: IpvsTable, command: IpvsCommand): void {
  switch (command.verb) {
    case "add-service":
      table.add(command.service);
      break;
    case "edit-service":
      table.edit(command.service);
      break;
    case "delete-service":
      table.remove(command.service);
      break;
    case "add-server":
      table.addServer(command.service, command.server);
      break;
    case "edit-server":
      table.editServer(command.service, command.server);
      break;
    case "delete-server":
      table.removeServer(command.service, command.server);
      break;
    case "clear":
      table.clear();
      break;
    case "zero":
      if (command.service !== undefined) table.get(command.service);
      break;
    case "set":
  }
}
