import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

/** Where an image stands, which a change may move. */
interface ImagePlace {
  readonly machine: Machine;
  readonly memory: LinearMemory;
  readonly image: () => number;
}

/** Makes a change while no burst of states at some addresses is under way: theirs wait for it. */
export function changeAlone(
  { machine, memory, image }: ImagePlace,
  states: readonly number[],
  change: () => void,
): void {
  const before = image();
  const pause = (at: number) => {
    memory.words(at, states.length).set(states);
    machine.imagePause(before, at, states.length);
  };
  if (states.length > 0) memory.borrow(states.length * 4, pause);
  try {
    change();
  } finally {
    // Were the image moved meanwhile, both would keep bursts waiting.
    machine.imageResume(before);
    machine.imageResume(image());
  }
}
