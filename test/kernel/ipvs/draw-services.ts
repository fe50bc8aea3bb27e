import type { Dice } from "../judge/dice.js";
import type { Forwarding, Server, Service } from "./scenario.js";

/** Those of user-mode Linux, by name. */
export const SCHEDULERS = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "sh",
  "dh",
  "mh",
  "sed",
  "nq",
  "lblc",
  "lblcr",
  "fo",
  "ovf",
] as const;

/** Where real servers stand, in both families. */
export const SERVER_COUNT = 12;
export const serverAddress = (family: 4 | 6, index: number): string =>
  family === 4 ? `10.244.0.${10 + index}` : `fd00:244::${(16 + index).toString(16)}`;

/** Address number `place` of a scenario's services: each scenario has others. */
export const vipAddress = (family: 4 | 6, scenario: number, place: number): string =>
  family === 4 ? `10.96.${scenario % 256}.${1 + place}` : `fd00:96::${scenario.toString(16)}:${1 + place}`;
/** What holds them all, in both families. */
export const VIP_PREFIXES = ["10.96.0.0/16", "fd00:96::/64"] as const;

export const familyOf = ({ address }: Service): 4 | 6 => (address.includes(":") ? 6 : 4);

/** Room for those of one scenario. */
const MARKS = 16;

function drawFlags(scheduler: string, dice: Dice): string[] {
  if (scheduler !== "sh" && scheduler !== "mh") return [];
  return ["fallback", "port"].filter(() => dice.percent(45)).map((flag) => `${scheduler}-${flag}`);
}

function drawPersistence(family: 4 | 6, dice: Dice): Partial<Service> {
  const persistence = 300 + dice.below(3) * 300;
  if (dice.percent(50)) return { persistence };
  return { persistence, netmask: dice.of(family === 4 ? [24, 16, 20, 32] : [64, 48, 112, 128]) };
}

/** Ports of services at one address, by their places: those of `SERVED_PORTS`. */
const PORTS = [80, 443, 8_443, 8_080] as const;
export const FTP = 21;

/** A virtual server of a scheduler, at a place of a scenario; `before` is that of the place before, whose address it may have. */
export function drawService(
  scheduler: string,
  [scenario, place]: readonly [number, number],
  dice: Dice,
  before?: Service,
): Service {
  const host = before?.mark === undefined && dice.percent(25) ? before : undefined;
  const family = host !== undefined ? familyOf(host) : dice.percent(60) ? 4 : 6;
  const protocol = dice.weighted([
    [60, "TCP"],
    [28, "UDP"],
    [12, "SCTP"],
  ] as const);
  const isOnePacket = protocol === "UDP" && dice.percent(30);
  const persistence = dice.percent(28) ? drawPersistence(family, dice) : {};
  const mark = host === undefined && dice.percent(12) ? { mark: scenario * MARKS + place + 1 } : {};
  // Without a port it is every port's, which only a persistent service can be, and one at an address.
  const mayBeWide = host === undefined || (place === 1 && host.port !== 0);
  const isWide = mayBeWide && "persistence" in persistence && !("mark" in mark) && dice.percent(25);
  const isFtp = protocol === "TCP" && host === undefined && dice.percent(6);
  const port = isWide ? 0 : host !== undefined ? (PORTS[place] ?? 0) : isFtp ? FTP : 80;
  return {
    protocol,
    address: host?.address ?? vipAddress(family, scenario, place),
    port,
    ...mark,
    scheduler,
    flags: drawFlags(scheduler, dice),
    isOnePacket,
    ...persistence,
  };
}

/** As `ipvsadm -E` may make it: scheduler, flags and persistence are others, what tells it apart stays. */
export function editedService(service: Service, dice: Dice): Service {
  const { netmask: _mask, persistence: _seconds, ...rest } = service;
  const scheduler = dice.percent(50) ? service.scheduler : dice.of(SCHEDULERS);
  const isPersistent = service.port === 0 || dice.percent(30);
  return {
    ...rest,
    scheduler,
    flags: drawFlags(scheduler, dice),
    isOnePacket: service.protocol === "UDP" && dice.percent(30),
    ...(isPersistent ? drawPersistence(familyOf(service), dice) : {}),
  };
}

/**
 * A service as it is where seconds pass: TCP's templates are shorter than its connections, and put off, those of UDP longer.
 * Neither SCTP's timeouts can be set, nor do a mark's templates know protocols.
 */
export function timedService(service: Service): Service {
  const { persistence, netmask, ...rest } = service;
  const protocol = service.protocol === "SCTP" ? "TCP" : service.protocol;
  if (persistence === undefined || service.mark !== undefined) return { ...rest, protocol };
  const mask = netmask === undefined ? {} : { netmask };
  return { ...rest, protocol, persistence: protocol === "TCP" ? 2 : 4, ...mask };
}

/** A service as it is where sockets speak: of TCP or UDP, at a port that somebody listens to. */
export function socketService(service: Service): Service {
  const { protocol, port } = service;
  return { ...service, protocol: protocol === "SCTP" ? "TCP" : protocol, port: port === FTP ? 80 : port };
}

/** How weights, limits and ways of one service's real servers are drawn. */
export interface Habits {
  readonly weight: (dice: Dice) => number;
  readonly isLimited: boolean;
  readonly forwarding: readonly Forwarding[];
}

const WEIGHTS: readonly Habits["weight"][] = [
  () => 1,
  (dice) => 1 + dice.below(5),
  (dice) => dice.below(4),
  (dice) => (1 + dice.below(6)) * 10,
  (dice) => dice.of([1, 100, 1_000, 65_535]),
];

const FORWARDINGS: readonly Forwarding[] = [
  "masquerade",
  "direct",
  "ipip",
  "gue",
  "gue with checksum",
  "gre",
  "gre with checksum",
];

export function drawHabits(dice: Dice, onlyTranslates: boolean): Habits {
  const mixed = dice.percent(18) && !onlyTranslates;
  return {
    weight: dice.of(WEIGHTS),
    isLimited: dice.percent(35),
    forwarding: mixed ? FORWARDINGS : ["masquerade"],
  };
}

function drawLimits({ isLimited }: Habits, dice: Dice): Pick<Server, "upper" | "lower"> {
  if (!isLimited || dice.percent(30)) return { upper: 0, lower: 0 };
  const upper = 1 + dice.below(9);
  return { upper, lower: dice.percent(50) ? 0 : 1 + dice.below(upper) };
}

/** Real server number `index` of a service. */
export function drawServer(service: Service, index: number, habits: Habits, dice: Dice): Server {
  const forwarding = dice.of(habits.forwarding);
  // Only translation changes ports.
  const isSame =
    forwarding !== "masquerade" || service.port === 0 || (service.mark !== undefined && dice.percent(50));
  const port = service.mark !== undefined && isSame ? 0 : isSame ? service.port : 8_080;
  return {
    address: serverAddress(familyOf(service), index),
    port,
    weight: habits.weight(dice),
    forwarding,
    ...drawLimits(habits, dice),
  };
}
