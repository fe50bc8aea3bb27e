export type TcpState =
  | "NONE"
  | "SYN_SENT"
  | "SYN_RECV"
  | "ESTABLISHED"
  | "FIN_WAIT"
  | "CLOSE_WAIT"
  | "LAST_ACK"
  | "TIME_WAIT"
  | "CLOSE"
  | "SYN_SENT2";
export type Segment = "none" | "SYN" | "SYN+ACK" | "FIN" | "ACK" | "RST";
export type Direction = "original" | "reply";

export const TCP_STATES: readonly TcpState[] = [
  "NONE",
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
  "TIME_WAIT",
  "CLOSE",
  "SYN_SENT2",
];

/** Flags are letters: the first there is of RST, SYN, FIN and ACK says what a segment is. */
export function segmentOf(flags: string): Segment {
  if (flags.includes("R")) return "RST";
  if (flags.includes("S")) return flags.includes("A") ? "SYN+ACK" : "SYN";
  if (flags.includes("F")) return "FIN";
  return flags.includes("A") ? "ACK" : "none";
}

/** Combinations that a TCP sends: one of SYN, SYN+ACK, RST, RST+ACK, FIN+ACK, ACK; URG beside SYN, FIN+ACK and ACK. */
export function areFlagsSane(flags: string): boolean {
  const way = ["S", "A", "F", "R"].filter((flag) => flags.includes(flag)).join("");
  const isUrgent = flags.includes("U");
  return ["S", "AF", "A"].includes(way) || (!isUrgent && ["SA", "R", "AR"].includes(way));
}

const isHandshake = (state: TcpState) => state === "SYN_SENT" || state === "SYN_SENT2";

/** What a segment of a direction makes of a state, case by case, as one would tell it. */
export function nextOf(
  direction: Direction,
  segment: Segment,
  state: TcpState,
): TcpState | "ignored" | "invalid" {
  const isOpener = direction === "original";
  switch (segment) {
    case "none":
      return "invalid";
    // Whatever there is, an RST closes it.
    case "RST":
      return state === "NONE" ? "invalid" : "CLOSE";
    case "SYN":
      // Both ends may open at once.
      if (!isOpener && isHandshake(state)) return "SYN_SENT2";
      // After the end, it may be the beginning.
      if (state === "TIME_WAIT") return "SYN_SENT";
      if (!isOpener) return "invalid";
      if (state === "SYN_SENT2") return state;
      return state === "NONE" || state === "SYN_SENT" || state === "CLOSE" ? "SYN_SENT" : "ignored";
    case "SYN+ACK":
      if (!isOpener) return state === "NONE" ? "invalid" : isHandshake(state) ? "SYN_RECV" : "ignored";
      // The opener answers a SYN only where both opened at once.
      return state === "SYN_SENT2" || state === "SYN_RECV" ? "SYN_RECV" : "invalid";
    case "FIN":
      if (state === "NONE" || isHandshake(state)) return "invalid";
      if (state === "SYN_RECV" || state === "ESTABLISHED") return "FIN_WAIT";
      return state === "TIME_WAIT" || state === "CLOSE" ? state : "LAST_ACK";
    case "ACK":
      if (state === "NONE") return isOpener ? "ESTABLISHED" : "invalid";
      if (isHandshake(state)) return isOpener ? "invalid" : "ignored";
      if (state === "SYN_RECV") return isOpener ? "ESTABLISHED" : state;
      if (state === "FIN_WAIT") return "CLOSE_WAIT";
      return state === "LAST_ACK" ? "TIME_WAIT" : state;
  }
}
