import { reasonWords } from "../trace/reasons.js";
import type { Fate, PacketFate } from "./replay.js";

/** A line for every fate, with how many packets met it. */
export function printTable(fates: readonly Fate[], total: number): string {
  const rows = [
    ["VERDICT", "PACKETS", "REASON"],
    ...fates.map(({ verdict, reason, packets }) => [
      verdict.toLowerCase(),
      String(packets),
      reasonWords(reason),
    ]),
    ["total", String(total), ""],
  ] as const;
  const width = Math.max(...rows.map(([, packets = ""]) => packets.length));
  return rows
    .map(([verdict = "", packets = "", reason = ""]) =>
      `${verdict.padEnd(8)}  ${packets.padStart(width)}  ${reason}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** What stands before a packet's own line. */
function columnsOf({ number, verdict, words, out }: PacketFate): readonly string[] {
  return [String(number), verdict.toLowerCase(), out ?? "-", words === "" ? "-" : words];
}

function changeOf({ before, after }: PacketFate): string {
  return after === undefined || after === before ? before : `${before} → ${after}`;
}

/** A line for every packet: its number from 1, its fate, and what it was before and after. */
export function printPacketFates(each: readonly PacketFate[]): string {
  const rows = [
    ["NUMBER", "VERDICT", "OUT", "REASON", "PACKET"],
    ...each.map((fate) => [...columnsOf(fate), changeOf(fate)]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padStart(widths[0] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => `${row.map(pad).join("  ").trimEnd()}\n`).join("");
}

/** The same for programs. */
export function packetFatesAsData(each: readonly PacketFate[]): readonly unknown[] {
  return each.map((fate) => ({
    number: fate.number,
    verdict: fate.verdict,
    reason: fate.reason === "NONE" ? null : fate.reason,
    words: fate.words,
    in: fate.in ?? null,
    out: fate.out ?? null,
    before: fate.before,
    after: fate.after ?? null,
  }));
}
