import type { Field } from "../model/fields.js";
import { parseIp } from "../net/ip.js";
import { parseHostPort } from "../net/port.js";
import { parseDuration } from "./duration.js";

/** Reads one field, so that a wrong type or value is told. */
export type Leaf = (field: Field) => unknown;

/** The fields that an object may have. */
export interface Shape {
  readonly [name: string]: Leaf | Shape;
}

/** Reads every field that is there and tells every one that should not be. */
export function checkShape(object: Field, shape: Shape): void {
  object.only(Object.keys(shape));
  for (const [name, part] of Object.entries(shape)) {
    const field = object.at(name);
    if (!field.present) continue;
    if (typeof part === "function") part(field);
    else checkShape(field, part);
  }
}

export const text: Leaf = (field) => field.text();
export const flag: Leaf = (field) => field.flag();
export const texts: Leaf = (list) => list.items().map((item) => item.text());
/** Read elsewhere, or of no account. */
export const anything: Leaf = () => undefined;

const INT32 = 2 ** 31 - 1;

export function whole(min = -INT32 - 1, max = INT32): Leaf {
  return (field) => field.integer(min, max);
}

/** A number, as YAML has it or as text. */
function isBare(given: number | string): boolean {
  return /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(`${given}`);
}

/** Seconds of a duration as Go writes it; undefined where there is none. */
export function durationOf(field: Field): number | undefined {
  const given = field.numberOrText();
  if (given === undefined) return undefined;
  if (typeof given === "number" || (isBare(given) && parseDuration(given) === undefined)) {
    field.error(`«${given}» has no unit: write ${given}s for seconds, or text such as 1h30m.`);
    return undefined;
  }
  const seconds = parseDuration(given);
  if (seconds === undefined) field.error(`«${given}» is no duration such as 30s or 1h30m.`);
  else if (seconds < 0) field.error(`«${given}» is negative: a duration is 0s or more.`);
  return seconds;
}

export const duration: Leaf = durationOf;

/** An address kube-proxy listens on, to which it adds the port where there is none. */
export const hostPort: Leaf = (field) => {
  const given = field.text() ?? "";
  if (given === "" || parseIp(given) !== undefined || (parseHostPort(given)?.port ?? 0) > 0) return;
  field.error(`«${given}» is no address, with or without a port, such as 0.0.0.0:10256 or [::]:10256.`);
};

/** `300-2000`, `300+50`, one port or none. */
export const portRange: Leaf = (field) => {
  const given = field.text()?.trim() ?? "";
  const [, first = "", sign, second] = /^([0-9]{1,5})(?:([-+])([0-9]{1,5}))?$/.exec(given) ?? [];
  const last = sign === "+" ? Number(first) + Number(second) : Number(second ?? first);
  const isRange = first !== "" && Number(first) <= last && last <= 65535;
  if (given !== "" && !isRange) field.error(`«${given}» is no range of ports such as 300-2000.`);
};
