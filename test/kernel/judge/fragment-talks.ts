import { type Family, familyOf } from "../../../src/net/ip.js";
import type { Step } from "./conversation.js";
import { type Cutting, drawCutting } from "./cutting.js";
import type { Dice } from "./dice.js";
import { phrases } from "./odd-talks.js";
import { UPLINK } from "./parties.js";
import type { Subject } from "./steps.js";
import type { Repertoire } from "./talk.js";

/** Octets of what is sent in fragments, with their weights. */
const LENGTHS: readonly (readonly [number, number])[] = [
  [3, 40],
  [4, 300],
  [4, 1_400],
  [5, 3_000],
  [2, 6_000],
  [1, 20_000],
];

/** Octets of what is not. */
const SMALL = 64;

/** Octets of data in the largest fragment that all ways take, and in one that comes from outside. */
const MOST = 1_392;
const mostOf = (family: Family) => (family === 6 ? 1_440 : 1_472);

const called = (step: Step, { name }: Cutting): Step => ({ ...step, name: `${step.name}, ${name}` });

/** What is said in fragments, of which some may go ahead of the others. */
function cut(subject: Subject, cutting: Cutting, say: (subject: Subject) => Step): readonly Step[] {
  const whole = called(say({ ...subject, cutting, part: "rest" }), cutting);
  if (cutting.ahead === undefined) return [whole];
  const ahead = called(say({ ...subject, cutting, part: "ahead" }), cutting);
  return [{ ...ahead, name: `${ahead.name}, ahead`, direction: "aside" }, whole];
}

/** A first packet, a reply or a later one in fragments. */
function inPieces(given: Subject, dice: Dice): readonly Step[] {
  const small = { ...given, payload: Math.min(given.payload, SMALL) };
  const { first, reply, more } = phrases(small);
  const octets = dice.weighted(LENGTHS) + dice.below(16);
  const large = { ...given, payload: octets };
  const isForeign = given.way === UPLINK && dice.percent(50);
  const cutting = drawCutting(dice, isForeign ? mostOf(familyOf(given.from.address)) : MOST);
  if (dice.percent(45))
    return [...cut(large, cutting, (one) => phrases(one).first), phrases(large).reply, more];
  const answered = { ...small, answerPayload: octets };
  if (!isForeign && dice.percent(60))
    return [first, ...cut(answered, cutting, (one) => phrases(one).reply), reply, more];
  return [first, reply, ...cut(large, cutting, (one) => phrases(one).more), more];
}

/** Packets in fragments, in order and not, whole and not. */
export const FRAGMENT_TALKS: Repertoire = [[8, "in fragments", inPieces]];
