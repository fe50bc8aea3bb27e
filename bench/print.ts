import type { ComparisonMachine } from "../src/report/comparison.js";
import { printAmount } from "../src/report/quantity.js";
import type { Result } from "./measure.js";

const WIDTHS = [36, 18, 14, 18, 16] as const;

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, index) =>
    index < 2 ? cell.padEnd(WIDTHS[index] ?? 0) : cell.padStart(WIDTHS[index] ?? 0),
  );
  return `${padded.join("  ").trimEnd()}\n`;
}

/** `Node 22.11.0 (V8 12.4), …`, and the columns' names. */
export function printHead({ cpu, cores, os, node, v8, packetyard }: ComparisonMachine): string {
  const machine = `packetyard ${packetyard}, Node ${node} (V8 ${v8}), ${cpu}, ${cores} cores, ${os}\n\n`;
  return machine + row(["", "", "ns", "low – high", "times as long"]);
}

/** A line a contender; the second column of numbers is the range of three rounds' medians. */
export function printResult({ topic, name, unit, contenders }: Result): string {
  return contenders
    .map(({ name: contender, ns, spread: [low, high], ratio }, index) =>
      row([
        index === 0 ? `${topic}: ${name}` : "",
        contender,
        `${printAmount(ns)}/${unit}`,
        `${printAmount(low)} – ${printAmount(high)}`,
        index === 0 ? "" : ratio.toFixed(2),
      ]),
    )
    .join("");
}
