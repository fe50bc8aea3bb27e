import { isObject } from "../arguments.js";
import type { Diagnostic, Place } from "../diagnostics.js";
import { nearNames } from "../near-names.js";
import type { Ip } from "../net/ip.js";
import { parseIp } from "../net/ip.js";
import { type Prefix, parsePrefix, parsePrefixLoose } from "../net/prefix.js";
import type { ManifestObject } from "./manifest.js";

/** The object a field belongs to, and where its diagnostics go. */
interface Owner {
  readonly place: Place;
  readonly diagnostics: Diagnostic[];
  /** Paths with an error: no second one is added there or below, as it would only follow from the first. */
  failed: Set<string> | undefined;
}

const EMPTY_MAP: ReadonlyMap<string, string> = new Map();
const EMPTY_LIST: readonly Field[] = [];

/**
 * One field of an object, read as the type it should have. A field that is absent (or null) reads as undefined,
 * an empty list or the fallback; one of another type adds an error that names its path and reads as absent, so
 * that all errors of an object are found in one pass.
 */
export class Field {
  private constructor(
    private readonly value: unknown,
    private readonly owner: Owner,
    private readonly parent: Field | undefined,
    private readonly key: string | number,
  ) {}

  /** The whole object; its diagnostics are appended to the list. */
  static of(object: ManifestObject, diagnostics: Diagnostic[]): Field {
    return new Field(object.value, { place: object.place, diagnostics, failed: undefined }, undefined, "");
  }

  /** `spec.ports[0].port` */
  get path(): string {
    const above = this.parent?.path ?? "";
    if (typeof this.key === "number") return `${above}[${this.key}]`;
    return above === "" ? this.key : `${above}.${this.key}`;
  }

  get place(): Place {
    const { place } = this.owner;
    return this.parent === undefined ? place : { ...place, field: this.path };
  }

  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Absent, or all of it what Go has where nothing is said: empty, 0, false, no time at all. */
  get isZero(): boolean {
    return isZero(this.value);
  }

  error(message: string): void {
    if (this.hasFailed()) return;
    this.owner.failed ??= new Set();
    if (this.parent !== undefined) this.owner.failed.add(this.path);
    this.say("error", message);
  }

  warning(message: string): void {
    this.say("warning", message);
  }

  note(message: string): void {
    this.say("note", message);
  }

  /** A field of this object; every field of an absent object is absent. */
  at(name: string): Field {
    if (this.present && !isObject(this.value)) this.wrongType("an object");
    const value = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    return new Field(value, this.owner, this, name);
  }

  /** The names of this object's fields, those that are null among them. */
  names(): readonly string[] {
    if (this.present && !isObject(this.value)) this.wrongType("an object");
    return isObject(this.value) ? Object.keys(this.value) : [];
  }

  /** Adds an error for each field that is none of these. */
  only(known: readonly string[]): void {
    for (const name of this.names()) {
      if (known.includes(name)) continue;
      const meant = known.find((one) => one.toLowerCase() === name.toLowerCase());
      const hint = meant === undefined ? `known are ${known.join(", ")}` : `write ${meant}`;
      this.at(name).error(`is not known here: ${hint}.`);
    }
  }

  /** Adds a warning for each field that is none of those which the API has here: it changes nothing. */
  warnBeside(known: readonly string[], kind: string): void {
    for (const name of this.names()) {
      if (known.includes(name)) continue;
      const near = nearNames(name, known);
      const hint = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
      this.at(name).warning(`is no field of a ${kind}, and changes nothing.${hint}`);
    }
  }

  /** The elements of a list. */
  items(): readonly Field[] {
    if (!this.present) return EMPTY_LIST;
    if (Array.isArray(this.value)) return this.value.map((item, index) => this.child(item, index));
    this.wrongType("a list");
    return EMPTY_LIST;
  }

  text(): string | undefined {
    if (!this.present || typeof this.value === "string") return (this.value as string | null) ?? undefined;
    this.wrongType("text");
    return undefined;
  }

  requiredText(): string {
    const text = this.text();
    if (!this.present || text === "") this.error("is missing.");
    return text ?? "";
  }

  flag(): boolean {
    if (!this.present || typeof this.value === "boolean") return this.value === true;
    this.wrongType("true or false");
    return false;
  }

  /** A whole number from min to max, both included. */
  integer(min: number, max: number): number | undefined {
    if (!this.present) return undefined;
    if (typeof this.value === "number" && Number.isInteger(this.value)) {
      if (this.value >= min && this.value <= max) return this.value;
      this.error(`${this.value} is out of range: ${min} to ${max}.`);
    } else {
      this.wrongType(`a whole number from ${min} to ${max}`);
    }
    return undefined;
  }

  /** A number as it is, or a text as it is (the API's IntOrString). */
  numberOrText(): number | string | undefined {
    return typeof this.value === "number" ? this.value : this.text();
  }

  oneOf<T extends string>(choices: readonly T[], fallback: T): T {
    const text = this.text();
    if (text === undefined || text === "") return fallback;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) this.error(`«${text}» is none of ${choices.join(", ")}.`);
    return choice ?? fallback;
  }

  ip(): Ip | undefined {
    return this.parsed(parseIp, "an IP address, such as 10.96.0.1");
  }

  prefix(): Prefix | undefined {
    return this.parsed(parsePrefix, "a network without host bits, such as 10.244.1.0/24");
  }

  /** A network whose host bits, and the spaces around it, are let pass. */
  loosePrefix(): Prefix | undefined {
    return this.parsed((text) => parsePrefixLoose(text.trim()), "a network, such as 203.0.113.0/24");
  }

  /** An object whose values are all text, such as labels. */
  map(): ReadonlyMap<string, string> {
    if (!this.present) return EMPTY_MAP;
    if (!isObject(this.value)) this.wrongType("an object of names and texts");
    else return new Map(Object.keys(this.value).map((key) => [key, this.at(key).text() ?? ""]));
    return EMPTY_MAP;
  }

  private hasFailed(): boolean {
    if (this.owner.failed === undefined) return false;
    return this.owner.failed.has(this.path) || this.parent?.hasFailed() === true;
  }

  private child(value: unknown, key: string | number): Field {
    return new Field(value, this.owner, this, key);
  }

  private parsed<T>(parse: (text: string) => T | undefined, wanted: string): T | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) this.error(`«${text}» is not ${wanted}.${placeholderHint(text)}`);
    return value;
  }

  private wrongType(wanted: string): void {
    this.error(`is ${describe(this.value)}, not ${wanted}.`);
  }

  private say(severity: Diagnostic["severity"], message: string): void {
    this.owner.diagnostics.push({ severity, place: this.place, message });
  }
}

const ZEROS: readonly unknown[] = [undefined, null, "", 0, false, "0", "0s"];

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.values(value).every(isZero) : ZEROS.includes(value);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  return typeof value === "string" ? `the text «${value}»` : `«${String(value)}»`;
}

/** CLUSTER_DNS_IP, __PILLAR__DNS__SERVER__, $DNS_SERVER_IP: files that a build fills in. */
function placeholderHint(text: string): string {
  return /^\W*[A-Z_]{4,}\W*$/.test(text) ? " It looks like a placeholder: fill the template in first." : "";
}
