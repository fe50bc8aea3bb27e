import { type Diagnostic, type DumpText, InputError } from "../index.js";
import { familyOf, parseIp } from "../net/ip.js";
import { parseHostPort } from "../net/port.js";
import { interfaceNameFault } from "../ruleset/interface-names.js";
import { type PacketEnd, type PacketProtocol, parseProtocol } from "./first-packet.js";

/** A question: what becomes of the first packet of this connection? */
export interface Flow {
  /** Port 0 where none is said. */
  readonly from: PacketEnd;
  readonly to: PacketEnd;
  /** Undefined where the line does not say it. */
  readonly protocol: PacketProtocol | undefined;
  readonly iface: string | undefined;
  /** The line's object, as it was given. */
  readonly said: Readonly<Record<string, unknown>>;
}

/** What lines are read to. */
export interface Flows {
  readonly flows: readonly Flow[];
  /** Warnings of fields that stand for nothing. */
  readonly diagnostics: readonly Diagnostic[];
}

const FIELDS: readonly string[] = ["from", "to", "protocol", "iface"];

/** What is wrong with a field of a line. */
class Wrong extends Error {
  constructor(
    readonly field: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

function objectOf(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Wrong(undefined, `is no JSON: write one object a line, {"from":"IP","to":"IP:port"}.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new Wrong(undefined, `is no JSON object: write {"from":"IP","to":"IP:port"}.`);
}

function textOf(said: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = said[field];
  if (value === "") throw new Wrong(field, "is empty: write it, or leave the field out.");
  if (value === undefined || typeof value === "string") return value;
  throw new Wrong(field, `${JSON.stringify(value)} is no text: write it in quotes.`);
}

function endOf(said: Readonly<Record<string, unknown>>, field: "from" | "to"): PacketEnd {
  const text = textOf(said, field);
  const form =
    field === "from" ? "10.0.0.2, 10.0.0.2:40000 or [fd00::2]:40000" : "10.96.0.1:80 or [fd00::1]:80";
  if (text === undefined) throw new Wrong(field, `is missing: write ${form}.`);
  const pair = parseHostPort(text);
  if (pair !== undefined && pair.port !== 0) return pair;
  const address = parseIp(/^\[(.*:.*)\]$/.exec(text)?.[1] ?? text);
  if (address === undefined) throw new Wrong(field, `«${text}» is no end of a packet: write ${form}.`);
  return { address, port: 0 };
}

function protocolOf(said: Readonly<Record<string, unknown>>): PacketProtocol | undefined {
  const text = textOf(said, "protocol");
  if (text === undefined) return undefined;
  const protocol = parseProtocol(text);
  if (protocol !== undefined) return protocol;
  throw new Wrong("protocol", `«${text}» is not known: name TCP, UDP, SCTP or ICMP.`);
}

function interfaceOf(said: Readonly<Record<string, unknown>>): string | undefined {
  const name = textOf(said, "iface");
  const fault = name === undefined ? undefined : interfaceNameFault(name);
  if (fault !== undefined) throw new Wrong("iface", `«${name}» ${fault}.`);
  return name;
}

function flowOf(line: string, otherwise: PacketProtocol): Flow {
  const said = objectOf(line);
  const [from, to] = [endOf(said, "from"), endOf(said, "to")];
  const protocol = protocolOf(said);
  if (familyOf(from.address) !== familyOf(to.address))
    throw new Wrong("to", `«${said.to}» is not of the family of «${said.from}»: give two addresses of one.`);
  const hasPorts = (protocol ?? otherwise) !== "icmp";
  if (hasPorts && to.port === 0)
    throw new Wrong("to", `«${said.to}» has no port: write IP:port, or [IP]:port of an IPv6 address.`);
  if (!hasPorts && (from.port !== 0 || to.port !== 0))
    throw new Wrong("protocol", "ICMP has no ports: write addresses alone.");
  return { from, to, protocol, iface: interfaceOf(said), said };
}

function strangers(flows: readonly Flow[], file: string): readonly Diagnostic[] {
  const fields = new Set(
    flows.flatMap(({ said }) => Object.keys(said)).filter((one) => !FIELDS.includes(one)),
  );
  return [...fields].map((field) => ({
    severity: "warning",
    place: { file, field },
    message: `is no field of a flow, and says nothing: there are ${FIELDS.join(", ")}.`,
  }));
}

/**
 * Reads flows, one JSON object a line; blank lines are passed over. `otherwise`: the protocol of lines that name none.
 * InputError with every line that is wrong, and its field; or where there is none.
 */
export function parseFlows({ file, text }: DumpText, otherwise: PacketProtocol): Flows {
  const flows: Flow[] = [];
  const errors: Diagnostic[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      flows.push(flowOf(line, otherwise));
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      const field = [`line ${index + 1}`, error.field].filter((part) => part !== undefined).join(": ");
      errors.push({ severity: "error", place: { file, field }, message: error.message });
    }
  }
  if (flows.length === 0 && errors.length === 0)
    errors.push({
      severity: "error",
      place: { file },
      message: 'holds no flow: write one a line, such as {"from": "10.0.0.2", "to": "10.96.0.10:53"}.',
    });
  if (errors.length > 0) throw new InputError(errors);
  return { flows, diagnostics: strangers(flows, file) };
}
