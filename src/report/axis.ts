import { scaleLinear, scaleLog } from "d3-scale";

export interface Tick {
  readonly value: number;
  readonly position: number;
  readonly label: string;
}

/** A logarithmic axis: where a value stands, in pixels, and the marks to draw. */
export interface Axis {
  readonly position: (value: number) => number;
  readonly ticks: readonly Tick[];
}

export interface AxisOptions {
  /** Pixels of the lowest and of the highest value; they may fall (SVG counts downward). */
  readonly range: readonly [number, number];
  readonly print: (value: number) => string;
  /** The axis spans at least this factor, so that noise around a constant looks like a constant. */
  readonly atLeast: number;
  /** Pixels a label needs along the axis; default those of a line of text. */
  readonly room?: (label: string) => number;
  /** Values to mark instead of round ones, if their labels have room. */
  readonly marks?: readonly number[];
}

const MARGIN = 0.06;
const LINE_PX = 22;
/** Marks within a power of ten, the finest that are wanted first. */
const STEPS = [[1, 2, 5], [1, 3], [1]] as const;
/** Where those are fewer than two marks. */
const FINER = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** A log axis over `values`, strictly monotone. Throws unless there is one and all are positive and finite. */
export function logAxis(values: readonly number[], options: AxisOptions): Axis {
  const domain = domainOf(values, options.atLeast);
  const scale = scaleLog(domain, options.range);
  const position = (value: number) => scale(value);
  const tickAt = (value: number) => ({ value, position: position(value), label: options.print(value) });
  const room = options.room ?? (() => LINE_PX);
  const choices = [options.marks ?? [], ...STEPS.map((steps) => multiplesWithin(steps, ...domain))];
  const fits = choices
    .map((values, i) => ({ least: i === 0 ? 1 : 2, ticks: values.map(tickAt) }))
    .find(({ least, ticks }) => ticks.length >= least && haveRoom(ticks, room));
  return { position, ticks: fits?.ticks ?? fewestValues(domain).map(tickAt) };
}

/** Whether each label, centred at its mark, is clear of the next. */
function haveRoom(marks: readonly Tick[], room: (label: string) => number): boolean {
  return marks.every((mark, i) => {
    const next = marks[i + 1];
    if (next === undefined) return true;
    return Math.abs(next.position - mark.position) >= (room(mark.label) + room(next.label)) / 2;
  });
}

function domainOf(values: readonly number[], atLeast: number): readonly [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (!(low > 0 && low <= high && high < Number.POSITIVE_INFINITY))
    throw new RangeError(`A log axis from ${low} to ${high}: leave out what is not positive and finite.`);
  const missing = Math.max(0, Math.log(atLeast) - Math.log(high / low));
  const padding = missing / 2 + MARGIN * (Math.log(high / low) + missing);
  return [low / Math.exp(padding), high * Math.exp(padding)];
}

/** Powers of ten, whatever room there is; where that is fewer than two marks, ever finer steps. */
function fewestValues(domain: readonly [number, number]): readonly number[] {
  const [low, high] = domain;
  for (const steps of [...[...STEPS].reverse(), FINER]) {
    const ticks = multiplesWithin(steps, low, high);
    if (ticks.length >= 2) return ticks;
  }
  return scaleLinear(domain, [0, 1]).ticks(4);
}

function multiplesWithin(steps: readonly number[], low: number, high: number): readonly number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
    for (const step of steps) {
      // Number("2e-1"), not 2 * 10 ** -1: no 0.30000000000000004 on an axis.
      const value = Number(`${step}e${power}`);
      if (value >= low && value <= high) ticks.push(value);
    }
  return ticks;
}
