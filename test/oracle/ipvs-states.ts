/** IPVS' state tables as ip_vs_proto_tcp.c and ip_vs_proto_sctp.c print them: a row an event, a column a state. */

export type Way = "in" | "out" | "alone";

type Rows = Readonly<Record<string, string>>;
type Table = Readonly<Record<Way, Rows>>;

export const TCP_STATES = "NO ES SS SR FW TW CL CW LA LI SA".split(" ");
export const TCP_NAMES = [
  "NONE",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "SYNACK",
];
/** Seconds. */
export const TCP_TIMEOUTS = [2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120];
const TCP_ACTIVE = ["ES", "SS", "SR", "SA"];

const TCP: Table = {
  //        NO ES SS SR FW TW CL CW LA LI SA
  in: {
    syn: "SR ES ES SR SR SR SR SR SR SR SR",
    fin: "CL CW SS TW TW TW CL CW LA LI TW",
    ack: "ES ES SS ES FW TW CL CW CL LI ES",
    rst: "CL CL CL SR CL CL CL CL LA LI SR",
  },
  out: {
    syn: "SS ES SS SR SS SS SS SS SS LI SR",
    fin: "TW FW SS TW FW TW CL TW LA LI TW",
    ack: "ES ES SS ES FW TW CL CW LA ES ES",
    rst: "CL CL SS CL CL TW CL CL CL CL CL",
  },
  alone: {
    syn: "SR ES ES SR SR SR SR SR SR SR SR",
    fin: "CL FW SS TW FW TW CL CW LA LI TW",
    ack: "ES ES SS ES FW TW CL CW CL LI ES",
    rst: "CL CL CL SR CL CL CL CL LA LI CL",
  },
};

const TCP_SECURE: Table = {
  in: {
    syn: "SR ES ES SR SR SR SR SR SR SR SA",
    fin: "CL CW SS TW TW TW CL CW LA LI SA",
    ack: "ES ES SS SR FW TW CL CW CL LI SA",
    rst: "CL CL CL SR CL CL CL CL LA LI CL",
  },
  out: {
    syn: "SS ES SS SA SS SS SS SS SS LI SA",
    fin: "TW FW SS TW FW TW CL TW LA LI TW",
    ack: "ES ES SS ES FW TW CL CW LA ES ES",
    rst: "CL CL SS CL CL TW CL CL CL CL CL",
  },
  alone: {
    syn: "SA ES ES SR SA SA SA SA SA SA SA",
    fin: "CL FW SS TW FW TW CL CW LA LI TW",
    ack: "ES ES SS ES FW TW CL CW CL LI ES",
    rst: "CL CL CL SR CL CL CL CL LA LI CL",
  },
};

/** The state that a segment with flags (of S, F, R, A) leads to; one without any of them closes. */
export function tcpStep(way: Way, flags: string, state: number, isSecure: boolean): number {
  const event = flags.includes("R")
    ? "rst"
    : flags.includes("S")
      ? "syn"
      : flags.includes("F")
        ? "fin"
        : flags.includes("A")
          ? "ack"
          : undefined;
  if (event === undefined) return TCP_STATES.indexOf("CL");
  const row = (isSecure ? TCP_SECURE : TCP)[way][event] as string;
  return TCP_STATES.indexOf(row.split(" ")[state] as string);
}

export function isTcpActive(state: number): boolean {
  return TCP_ACTIVE.includes(TCP_STATES[state] as string);
}

export const SCTP_STATES = "NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL".split(" ");
/** Seconds. */
export const SCTP_TIMEOUTS = [2, 4, 61, 61, 61, 61, 61, 61, 900, 61, 61, 61, 4, 61];
/** Events by chunk: what is not here is data. */
const CHUNKS: Readonly<Record<number, string>> = {
  1: "i",
  2: "i_a",
  6: "ab",
  7: "s",
  8: "s_a",
  9: "err",
  10: "c_e",
  11: "c_a",
  14: "s_c",
};

const SCTP: Table = {
  //       NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL
  in: {
    d: "ES I1 IN CS CR CW CO CE ES SS SR SA RJ CL",
    i: "I1 IN IN CS CR CW CO CE ES SS SR SA IN IN",
    i_a: "CW CW CW CS CR CO CO CE ES SS SR SA RJ CL",
    c_e: "CR IN IN CR CR CW CO CE ES SS SR SA RJ CL",
    c_a: "ES I1 IN CS CR CW CO ES ES SS SR SA RJ CL",
    s: "SR I1 IN CS CR CW CO CE SR SS SR SA RJ CL",
    s_a: "CL IN IN CS CR CW CO CE ES CL SR CL RJ CL",
    s_c: "CL CL CL CS CR CW CO CE ES SS SR CL RJ CL",
    err: "CL I1 IN CS CR CW CO CL ES SS SR SA RJ CL",
    ab: "CL CL CL CL CL RJ CL CL CL CL CL CL CL CL",
  },
  out: {
    d: "ES I1 IN CS CR CW CO CE ES SS SR SA RJ CL",
    i: "CW CW CW CW CW CW CW CW ES CW CW CW CW CW",
    i_a: "CS CS CS CS CR CW CO CE ES SS SR SA RJ CL",
    c_e: "CE CE CE CE CE CE CE CE ES SS SR SA RJ CL",
    c_a: "ES ES ES ES ES ES ES ES ES SS SR SA RJ CL",
    s: "SS SS SS SS SS SS SS SS SS SS SR SA RJ CL",
    s_a: "SA SA SA SA SA CW CO CE ES SA SA SA RJ CL",
    s_c: "CL I1 IN CS CR CW CO CE ES SS SR SA RJ CL",
    err: "CL CL CL CL CL CW CO CE ES SS SR SA RJ CL",
    ab: "CL RJ CL CL CL CL CL CL CL CL CL CL CL CL",
  },
  alone: {
    d: "ES I1 IN CS CR ES CO CE ES SS SR SA RJ CL",
    i: "I1 IN IN IN IN IN CO CE ES SS SR SA IN IN",
    i_a: "CE CE CE CE CE CE CO CE ES SS SR SA RJ CL",
    c_e: "ES ES ES ES ES ES CO CE ES SS SR SA RJ CL",
    c_a: "ES I1 IN ES ES CW ES ES ES SS SR SA RJ CL",
    s: "SR I1 IN CS CR CW CO CE SR SS SR SA RJ CL",
    s_a: "CL IN IN CS CR CW CO CE CL CL SR CL RJ CL",
    s_c: "CL CL CL CL CL CW CO CE ES SS CL CL RJ CL",
    err: "CL I1 IN CS CR CW CO CE ES SS SR SA RJ CL",
    ab: "CL CL CL CL CL RJ CL CL CL CL CL CL CL CL",
  },
};

/** The state that a packet whose chunk decides leads to. */
export function sctpStep(way: Way, chunk: number, state: number): number {
  const row = SCTP[way][CHUNKS[chunk] ?? "d"] as string;
  return SCTP_STATES.indexOf(row.split(" ")[state] as string);
}
