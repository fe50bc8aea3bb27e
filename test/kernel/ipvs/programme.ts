import type { Dice } from "../judge/dice.js";
import type { Act, Talk } from "./scenario.js";

/** What one side of a talk says. */
export interface Line {
  readonly from: "client" | "server";
  readonly what: string;
}

const spoken = (text: string): Line[] =>
  text.split(" ").map((word) => {
    const [from, what = ""] = word.split(":");
    return { from: from === "c" ? "client" : "server", what };
  });

const HANDSHAKE = spoken("c:S s:SA c:A");
const EXCHANGE = spoken("c:PA s:PA c:A");

/** How TCP connections end; many stay open. */
const ENDS: readonly (readonly [number, Line[]])[] = [
  [8, []],
  [4, spoken("c:FA s:A s:FA c:A")],
  [3, spoken("s:FA c:A c:FA s:A")],
  [3, spoken("c:FA s:FA c:A")],
  [2, spoken("c:FA s:FA c:A s:A")],
  [2, spoken("c:FA s:A")],
  [2, spoken("s:FA c:A")],
  [3, spoken("c:R")],
  [2, spoken("c:RA")],
  [3, spoken("s:RA")],
  [1, spoken("c:PA s:RA")],
];

/** What connections are not meant to do. */
const ODD: readonly Line[][] = [
  "c:S",
  "c:S c:S",
  "c:S s:SA",
  "c:S s:SA c:R",
  "c:S s:RA",
  "c:S s:RA c:S s:SA c:A",
  "c:S c:A",
  "c:S c:PA c:FA",
  "c:A",
  "c:FA",
  "c:R",
  "c:SA",
  "c:S s:S s:SA c:SA c:A",
  "c:S s:SA c:A c:S s:A",
  "c:S s:A c:R c:S s:SA c:A",
].map(spoken);

const DATAGRAMS: readonly (readonly [number, Line[]])[] = [
  [5, spoken("c:data")],
  [4, spoken("c:data s:data")],
  [3, spoken("c:data s:data c:data")],
  [2, spoken("c:data c:data c:data")],
];

const ASSOCIATION = spoken("c:init s:initAck c:cookieEcho s:cookieAck");

const ASSOCIATION_ENDS: readonly (readonly [number, Line[]])[] = [
  [6, []],
  [3, spoken("c:data s:sack")],
  [3, spoken("c:data s:sack c:shutdown s:shutdownAck c:shutdownComplete")],
  [2, spoken("s:shutdown c:shutdownAck s:shutdownComplete")],
  [2, spoken("c:abort")],
  [2, spoken("s:abort")],
];

const ODD_ASSOCIATIONS: readonly Line[][] = [
  "c:init",
  "c:init c:init",
  "c:init s:initAck",
  "c:init s:abort c:init",
  "c:data",
  "c:cookieEcho",
  "c:abort",
  "c:init s:initAck c:cookieEcho s:cookieAck s:heartbeat c:heartbeat",
].map(spoken);

function tcpLines(dice: Dice): Line[] {
  if (dice.percent(15)) return [...dice.of(ODD)];
  const data = Array.from({ length: dice.below(3) }, () => EXCHANGE).flat();
  return [...HANDSHAKE, ...data, ...dice.weighted(ENDS)];
}

/** What is said once: the same ports may be used again. */
function linesOnce({ protocol }: Talk, dice: Dice): Line[] {
  if (protocol === "TCP") return tcpLines(dice);
  if (protocol === "UDP") return [...dice.weighted(DATAGRAMS)];
  return dice.percent(25)
    ? [...dice.of(ODD_ASSOCIATIONS)]
    : [...ASSOCIATION, ...dice.weighted(ASSOCIATION_ENDS)];
}

/** ICMP errors, about what was heard last: of IPv4 and of IPv6 type and code. */
export const ERRORS: Readonly<Record<string, { readonly [family in 4 | 6]: readonly [number, number] }>> = {
  unreachable: { 4: [3, 1], 6: [1, 3] },
  "port unreachable": { 4: [3, 3], 6: [1, 4] },
  exceeded: { 4: [11, 0], 6: [3, 0] },
};
const ERROR_SHARE = 12;

/** What both ends of a talk say, in their order. */
export function drawLines(talk: Talk, dice: Dice): Line[] {
  const lines = linesOnce(talk, dice);
  while (dice.percent(15)) lines.push(...linesOnce(talk, dice));
  while (dice.percent(ERROR_SHARE)) {
    const error: Line = { from: dice.of(["client", "server"]), what: dice.of(Object.keys(ERRORS)) };
    lines.splice(1 + dice.below(lines.length), 0, error);
  }
  return lines;
}

/** What one side of a talk does. */
export interface Deed {
  readonly from: "client" | "server";
  readonly what: Act;
}

const done = (text: string): Deed[] =>
  text.split(" ").map((word) => {
    const [from, what] = word.split(":");
    return { from: from === "c" ? "client" : "server", what: what as Act };
  });

const TALKING = done("c:say s:say");

const DEPARTURES: readonly (readonly [number, Deed[]])[] = [
  [6, []],
  [4, done("c:close s:close")],
  [4, done("s:close c:close")],
  [2, done("c:close")],
  [2, done("s:close")],
  [2, done("c:reset")],
  [2, done("s:reset")],
  [1, done("c:close s:reset")],
];

/** What both ends of a talk do, if they are sockets. */
export function drawDeeds(dice: Dice): Deed[] {
  const talking = Array.from({ length: dice.below(4) }, () => TALKING).flat();
  return [...done("c:open"), ...talking, ...dice.weighted(DEPARTURES)];
}
