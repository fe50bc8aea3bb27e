import { type Family, familyOf, type Ip, parseIp } from "../../../src/net/ip.js";
import { NODE_WAY, type Step } from "./conversation.js";
import type { Dice } from "./dice.js";
import { IDLE_POD } from "./drawn-node.js";
import { addressIn } from "./in-family.js";
import { oddFramesOf } from "./odd-frames.js";
import { UPLINK } from "./parties.js";
import { answer, ask, type Subject } from "./steps.js";
import type { Repertoire } from "./talk.js";
import { ODD_TUNNELS } from "./tunnel.js";

/** An address that no usual packet has. */
interface OddAddress {
  readonly name: string;
  readonly address: Ip;
  /** No host can be told so, and no error comes back to it. */
  readonly isMute?: boolean;
}

function named(name: string, text: string, more: Partial<OddAddress> = {}): OddAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`«${text}» is no address.`);
  return { name, address, ...more };
}

const ODD_ADDRESSES: Readonly<Record<Family, readonly OddAddress[]>> = {
  4: [
    named("no address", "0.0.0.0"),
    named("this network", "0.1.2.3"),
    named("loopback", "127.0.0.1"),
    named("multicast", "224.0.0.5"),
    named("broadcast", "255.255.255.255"),
    named("reserved", "240.0.0.1"),
    named("a link-local address", "169.254.7.7"),
    named("the node", "172.18.0.2"),
    named("the node's bridge", "10.244.1.1"),
    named("a ClusterIP", "10.96.0.10"),
  ],
  6: [
    named("no address", "::", { isMute: true }),
    named("loopback", "::1"),
    named("multicast of the node", "ff01::1"),
    named("multicast of the link", "ff02::1"),
    named("multicast of the site", "ff05::5"),
    named("a link-local address", "fe80::9", { isMute: true }),
    named("a mapped address", "::ffff:203.0.113.1"),
    named("a compatible address", "::203.0.113.1"),
    named("6to4", "2002:cb00:7101::1"),
  ],
};

/** From an odd address: from outside, where answers go back by the default route. */
function fromOdd(
  subject: Subject,
  { name, address, isMute = false }: OddAddress,
): readonly [string, Subject] {
  // Nobody refuses what goes to this Pod.
  const to = isMute ? { ...subject.to, address: addressIn(6, IDLE_POD) } : subject.to;
  const ttl = isMute ? 64 : subject.ttl;
  return [`from ${name}`, { ...subject, ttl, from: { ...subject.from, address }, to }];
}

function toOdd(subject: Subject, { name, address }: OddAddress): readonly [string, Subject] {
  return [`to ${name}`, { ...subject, to: { ...subject.to, address } }];
}

/** What is said, from client to server and back. */
export function phrases(subject: Subject) {
  const [client, server] = subject.isn;
  return {
    first: ask(subject, "first", { flags: "S", seq: client }),
    reply: answer(subject, "reply", {
      flags: "SA",
      seq: server,
      ack: (client + 1 + (subject.protocol === "TCP" ? subject.payload : 0)) >>> 0,
      payload: subject.answerPayload ?? 0,
    }),
    more: ask(subject, "more", { flags: "A", seq: (client + 1) >>> 0, ack: (server + 1) >>> 0 }),
  };
}

/** Octets that leave room for more in a frame. */
const SMALL = 64;

/** A step with what is odd about it in its name. */
const called = (step: Step, name: string): Step => ({ ...step, name: `${step.name}, ${name}` });

/** An odd frame first, or as a reply, or in a connection. */
function strange(given: Subject, dice: Dice): readonly Step[] {
  const subject = { ...given, payload: Math.min(given.payload, SMALL) };
  const kinds = oddFramesOf(familyOf(subject.from.address));
  const { first, reply, more } = phrases(subject);
  const kind = dice.of(kinds);
  const odd = phrases({ ...subject, oddFrame: kind });
  if (dice.percent(40)) return [called(odd.first, kind.name), first, reply, more];
  if (kind.hasPorts !== false && dice.percent(30)) return [first, called(odd.reply, kind.name), reply, more];
  return [first, reply, more, called(odd.more, kind.name), more];
}

/** The same of what comes by the tunnel, if it does. */
function strangely(subject: Subject, dice: Dice): readonly Step[] {
  const kind = dice.of(ODD_TUNNELS);
  const { first, reply, more } = phrases(subject);
  const odd = phrases({ ...subject, oddTunnel: kind });
  if (dice.percent(40)) return [called(odd.first, kind.name), first, reply, more];
  return [first, called(odd.reply, kind.name), reply, more, called(odd.more, kind.name), more];
}

function misaddressed(subject: Subject, dice: Dice): readonly Step[] {
  // The node's own programs do as routing tells them.
  if (subject.way === NODE_WAY) return [phrases(subject).first];
  const address = dice.of(ODD_ADDRESSES[familyOf(subject.from.address)]);
  const isFrom = subject.way === UPLINK && (address.isMute || dice.percent(60));
  // Whoever is not there is looked for, and told of late.
  if (address.isMute && !isFrom) return [phrases(subject).first];
  const [name, changed] = isFrom ? fromOdd(subject, address) : toOdd(subject, address);
  const steps = phrases(changed);
  return [steps.first, steps.reply, steps.more].map((step) => called(step, name));
}

/** What is not as hosts usually send it, from wires. */
export const ODD_TALKS: Repertoire = [
  [6, "odd frame", strange],
  [3, "odd address", misaddressed],
  [2, "odd tunnel", strangely],
];
