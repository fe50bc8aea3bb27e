import { join } from "node:path";
import type { Timed } from "./rows.js";
import type { Case } from "./scenario.js";
import { parseVariants, type Side } from "./side.js";

export interface RoundOptions {
  readonly rounds: number;
  /** Milliseconds of one variant's turn. */
  readonly turn: number;
}

export interface Measured {
  readonly ours: readonly number[];
  readonly peers: readonly Timed[];
}

/** Turns that warm up, of so many times a turn's length: both sides' code and tables are hot before the first counts. */
const WARM = 10;

/** Both sides over one case's keys: first whether they agree on every result, then round after round in turn. */
export async function measureCase(
  one: Case,
  folder: string,
  sides: { readonly ours: Side; readonly native: Side },
  options: RoundOptions,
): Promise<Measured> {
  const { ours, native } = sides;
  const path = join(folder, one.file);
  await ours.ask("keys", path, one.strides?.ours ?? 0);
  const listed = parseVariants(await native.ask("keys", path, ...(one.strides?.native ?? [])));
  const variants = listed.flatMap((variant, index) =>
    variant.group === "absent" ? [] : [{ ...variant, index, ns: [] as number[] }],
  );
  const sum = await ours.ask("check", 0);
  for (const { index, name } of variants) {
    const other = await native.ask("check", index);
    if (other !== sum)
      throw new Error(
        `${one.work}, ${one.keys}: packetyard and ${name} do not agree on every result ` +
          `(sums ${sum} and ${other}): one of them is wrong, and no time means anything.`,
      );
  }
  await ours.ask("time", 0, options.turn * WARM);
  const oursNs: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    oursNs.push(Number(await ours.ask("time", 0, options.turn)));
    for (const { index, ns } of variants) ns.push(Number(await native.ask("time", index, options.turn)));
  }
  return { ours: oursNs, peers: variants };
}
