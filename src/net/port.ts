import { type Ip, parseIp, printIp } from "./ip.js";

/** Transport protocols of Service ports, spelled as the Kubernetes API spells them. */
export type Protocol = "TCP" | "UDP" | "SCTP";

/** IANA protocol numbers. */
export const PROTOCOL_NUMBER = { TCP: 6, UDP: 17, SCTP: 132 } as const;

export interface HostPort {
  readonly address: Ip;
  readonly port: number;
}

/** `10.96.0.1:80` or `[2001:db8::1]:80`, port 0 … 65535; undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const address = parseIp(parts[1] ?? parts[2] ?? "");
  const port = Number(parts[3]);
  const bracketed = parts[1] !== undefined;
  if (address === undefined || port > 65535 || bracketed !== (typeof address === "bigint")) return undefined;
  return { address, port };
}

export function printHostPort(address: Ip, port: number): string {
  return typeof address === "number" ? `${printIp(address)}:${port}` : `[${printIp(address)}]:${port}`;
}
