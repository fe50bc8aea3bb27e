import { type Ip, parseIp } from "../net/ip.js";
import { parseHostPort } from "../net/port.js";
import { UsageError } from "./errors.js";

/** An end of a packet as a user names it; a port may be a number or a name. */
export type Mention =
  | { readonly kind: "address"; readonly text: string; readonly address: Ip; readonly port?: string }
  | {
      readonly kind: "pod" | "svc";
      readonly text: string;
      readonly namespace: string;
      readonly name: string;
      readonly port?: string;
    }
  | { readonly kind: "node"; readonly text: string; readonly name: string; readonly port?: string };

const FORMS = "IP:port, [IPv6]:port, pod/NAMESPACE/NAME, svc/NAMESPACE/NAME:PORT or node/NAME:PORT";
/** kubectl's names of a kind. */
const KINDS: Readonly<Record<string, "pod" | "svc" | "node">> = {
  pod: "pod",
  pods: "pod",
  po: "pod",
  svc: "svc",
  service: "svc",
  services: "svc",
  node: "node",
  nodes: "node",
  no: "node",
};

function refuse(text: string): UsageError {
  return new UsageError(`«${text}» names no end of a packet: write ${FORMS}.`);
}

function parseAddress(text: string): Mention {
  const pair = parseHostPort(text);
  const address = pair?.address ?? parseIp(text);
  if (address === undefined) throw refuse(text);
  return pair === undefined
    ? { kind: "address", text, address }
    : { kind: "address", text, address, port: String(pair.port) };
}

/** Reads how a user names an end. UsageError for anything else; whether it exists is not asked here. */
export function parseMention(text: string): Mention {
  const [kindName = "", ...rest] = text.split("/");
  if (rest.length === 0) return parseAddress(text);
  const kind = KINDS[kindName];
  const [last = "", port] = (rest.at(-1) ?? "").split(":");
  if (kind === undefined || last === "" || port === "" || rest.length > (kind === "node" ? 1 : 2))
    throw refuse(text);
  const end = port === undefined ? {} : { port };
  if (kind === "node") return { kind, text, name: last, ...end };
  const namespace = rest.length === 2 ? (rest[0] ?? "") : "default";
  return { kind, text, namespace, name: last, ...end };
}
