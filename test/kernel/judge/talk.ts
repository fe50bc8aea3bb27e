import { familyOf } from "../../../src/net/ip.js";
import type { Step } from "./conversation.js";
import type { Dice } from "./dice.js";
import { addressIn } from "./in-family.js";
import type { Complaint, Subject } from "./steps.js";

/** Kinds of conversations, and how often each is held. */
export type Repertoire = readonly (readonly [
  number,
  string,
  (subject: Subject, dice: Dice) => readonly Step[],
])[];

/** Somewhere between the client and the server. */
const ROUTER = "198.18.9.9";

/** What an ICMP error may say, and the same in ICMPv6. */
const COMPLAINTS: readonly (readonly [Complaint, Complaint])[] = [
  [
    { type: 3, code: 3, quoted: 8 },
    { type: 1, code: 4, quoted: 8 },
  ],
  [
    { type: 3, code: 1, quoted: 28 },
    { type: 1, code: 3, quoted: 28 },
  ],
  [
    { type: 3, code: 4, quoted: 8 },
    { type: 2, code: 0, quoted: 8 },
  ],
  [
    { type: 11, code: 0, quoted: 20, router: addressIn(4, ROUTER) },
    { type: 3, code: 0, quoted: 20, router: addressIn(6, ROUTER) },
  ],
];

export function drawComplaint(subject: Subject, dice: Dice): Complaint {
  return dice.of(COMPLAINTS)[familyOf(subject.from.address) === 4 ? 0 : 1];
}
