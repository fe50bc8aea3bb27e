import { State } from "../../state";
import { flowClear, flowExpire } from "./build";
import { flowFind } from "./lookup";

/** The machine's exports about connections (re-exported by index). */

export function flowsClear(state: usize): void {
  flowClear(State.at(state));
}

/** Closes what has expired at `now` (milliseconds) among the next `records` records; how many. */
export function flowsExpire(state: usize, now: f64, records: u32): u32 {
  return flowExpire(State.at(state), <u64>now, records);
}

/** Live connections. */
export function flowsCount(state: usize): u32 {
  return State.at(state).connections;
}

/** Looks up `count` tuples (src, dst, ports, protocol: u32 each); record << 1 | direction, 0 for none. */
export function flowFindMany(state: usize, tuples: usize, count: u32, results: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = tuples + (i << 4);
    const flow = flowFind(
      State.at(state),
      load<u32>(at),
      load<u32>(at, 4),
      load<u32>(at, 8),
      load<u32>(at, 12),
    );
    store<u32>(results + (i << 2), flow);
  }
}
