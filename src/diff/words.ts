import type { Destination } from "../explore/fate.js";
import { type Ip, printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import { reasonWords } from "../trace/reasons.js";
import type { Answer, End } from "./answer.js";

type Names = ReadonlyMap<Ip, string>;

/** Endpoints that are told by name; of more the number. */
const TOLD = 4;

function printDestination({ address, port }: Destination, names: Names): string {
  const name = names.get(address);
  const text = port === 0 ? printIp(address) : printHostPort(address, port);
  return name === undefined ? text : `${text} (${name})`;
}

function listed(ends: readonly End[], names: Names): string {
  const told = ends.slice(0, TOLD).flatMap(({ destination }) => destination ?? []);
  const text = told.map((destination) => printDestination(destination, names)).join(", ");
  return ends.length > TOLD ? `${text} and ${ends.length - TOLD} more` : text;
}

const EVEN = 1e-6;

/** How one of several ends comes about: by a scheduler, or by chances that are even or told in percent. */
function chances(ends: readonly End[], isOne: boolean): string {
  if (isOne) return "";
  const known = ends.map(({ probability }) => probability).filter((one) => one !== null);
  if (known.length < ends.length) return ", by the scheduler's choice";
  const [first = 0] = known;
  const each = ends.length > 1 ? "each " : "";
  const isEven =
    known.every((one) => Math.abs(one - first) < EVEN) &&
    Math.abs(1 / first - Math.round(1 / first)) < EVEN * 10;
  if (isEven) return `, ${each}by chance 1 in ${Math.round(1 / first)}`;
  return `, by chance ${known
    .slice(0, TOLD)
    .map((one) => `${(one * 100).toFixed(2)} %`)
    .join(", ")}`;
}

function fateWords({ how, reason, line }: End): string {
  switch (how) {
    case "endpoint":
      return "goes to";
    case "passes":
      return "passes, its destination untouched";
    case "node":
      return "reaches the node itself";
    case "dropped":
      return "is dropped";
    case "rejected":
      return `is rejected (${reasonWords(reason)})`;
    case "undecided":
      return `is undecided${line === undefined ? "" : ` at line ${line}`} (${reasonWords(reason)})`;
  }
}

/** Ends of one kind together. */
function kinds(ends: readonly End[]): readonly (readonly End[])[] {
  const groups = new Map<string, End[]>();
  for (const end of ends) {
    const key = `${fateWords(end)} ${end.masquerade}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [end]);
    else group.push(end);
  }
  return [...groups.values()];
}

function kindWords(ends: readonly End[], names: Names, isOne: boolean): string {
  const [first] = ends;
  if (first === undefined) return "";
  const masquerade = first.masquerade ? ", masqueraded" : "";
  const where = first.how === "endpoint" ? ` ${listed(ends, names)}` : "";
  return `${fateWords(first)}${where}${masquerade}${chances(ends, isOne)}`;
}

/** What becomes of a packet, in words that stand behind «the packet». */
export function answerWords(answer: Answer, names: Names): string {
  const named = answer.isNamed ? ", accepted by name" : "";
  return (
    kinds(answer.ends)
      .map((ends) => kindWords(ends, names, answer.ends.length === 1))
      .join("; or ") + named
  );
}

/**
 * The same without addresses and numbers: differences with equal ones are of one kind. That `sender` may reach itself, and is
 * masqueraded then, makes no kind of its own.
 */
export function summaryWords({ ends, isNamed }: Answer, sender: Ip): string {
  const others = ends.filter(({ destination }) => destination?.address !== sender);
  const words = kinds(others.length > 0 ? others : ends).map(([end]) => {
    if (end === undefined) return "";
    const masquerade = end.masquerade ? ", masqueraded" : "";
    return `${end.how === "endpoint" ? "goes to an endpoint" : fateWords(end)}${masquerade}`;
  });
  const turns = ends.some(({ probability }) => probability === null) ? ", by the scheduler's choice" : "";
  return `${words.sort().join(" or ")}${turns}${isNamed ? ", accepted by name" : ""}`;
}
