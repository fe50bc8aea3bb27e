import { createHash } from "node:crypto";
import type { Batch } from "../../src/engine/batch.js";
import type { BareNode } from "../bare-node.js";
import { type Arrival, segment, TARGETS, type Way } from "./arrivals.js";
import { BALANCED, POD_PORT, PODS, UPLINK } from "./node.js";

export function place(
  batch: Batch,
  index: number,
  { octets, inNumber, headroom, further = 0 }: Arrival,
): void {
  batch.set(index, octets, inNumber);
  const at = batch.frames[index] ?? 0;
  batch.octets.copyWithin(at - 128 + headroom + further, at, at + octets.length);
  batch.frames[index] = at - 128 + headroom + further;
}

function outcome(batch: Batch, index: number): string {
  const words = [batch.ins, batch.outs, batch.nextHops, batch.walked, batch.connections].map(
    (one) => one[index],
  );
  const octets = Buffer.from(batch.frame(index)).toString("hex");
  return [batch.verdict(index), batch.reason(index), ...words, batch.frames[index], octets].join(" ");
}

/** Bursts come so many ms one after another. */
export const PAUSE = 25_000;

export function runAll(
  node: BareNode,
  bursts: readonly (readonly Arrival[])[],
  moves: boolean,
  epoch = 0,
  change: (node: BareNode, step: number) => void = () => {},
): string[] {
  const outcomes = bursts.flatMap((arrivals, step) => {
    if (moves && step === 1) node.route(`${BALANCED}/32`, { kind: "direct", out: UPLINK });
    change(node, step);
    const batch = node.batch(arrivals.length, { frameLength: 512 });
    for (const [index, one] of arrivals.entries()) place(batch, index, one);
    node.image.machine.run(
      node.image.address,
      node.image.state,
      batch.address,
      arrivals.length,
      epoch + step * PAUSE,
    );
    return arrivals.map((_, index) => outcome(batch, index));
  });
  return [...outcomes, stateOf(node)];
}

/** All octets of the node's state, for comparison. */
export function stateOf({ image }: BareNode): string {
  return createHash("sha256").update(image.memory.octets(image.state, image.stateLength)).digest("hex");
}

/** A connection that is open and answered, so that what follows may go the express way. */
export function opened(target: string, protocol: "TCP" | "UDP"): Arrival[] {
  const base = {
    pod: PODS[0],
    target,
    protocol,
    ttl: 64,
    tos: 0,
    payload: 9,
    isForMany: false,
    tunnel: "none",
  };
  const open: Way = { ...base, flags: "S", answers: false };
  const answer: Way = { ...base, flags: "SA", answers: true };
  const acknowledgement: Way = { ...base, flags: "A", answers: false };
  return [open, answer, acknowledgement].map((one) => ({
    octets: segment(one),
    inNumber: one.answers ? UPLINK : POD_PORT,
    headroom: 128,
  }));
}

export const opening = TARGETS.flatMap((target) => [...opened(target, "TCP"), ...opened(target, "UDP")]);
