import { describe, expect, it } from "vitest";
import { ip4 } from "../bare-node.js";
import {
  type Change,
  type Counters,
  SAMPLE_NAMES,
  SAMPLES,
  type Sample,
  samplesOf,
} from "../ipvs/samples.js";
import { skipWithout } from "../skipped.js";
import { clientOf, expectedPicks } from "../table/ring-node.js";
import { KernelServer } from "./schedulers.js";

/** A scheduler is not asked for clients that are kept. */
const scheduledOf = (name: string) =>
  samplesOf(name).filter(({ ipvsadm_extra }) => !ipvsadm_extra.includes("-p"));
const NAMES = SAMPLE_NAMES.filter((name) => scheduledOf(name).length > 0);

function change(list: KernelServer, event: Change): void {
  const address = ip4(event.addr);
  const real = list.find(address, event.port);
  if (event.op === "add_dest") list.add(address, event.port, event.weight);
  else if (real === undefined) throw new Error(`there is no ${event.addr}:${event.port}`);
  else if (event.op === "del_dest") list.remove(real);
  else list.setWeight(real, event.weight);
}

function count(list: KernelServer, { dest, active, inactive }: Counters): void {
  const [address = "", port] = dest.split(":");
  const real = list.find(ip4(address), Number(port));
  if (real === undefined) throw new Error(`there is no ${dest}`);
  Object.assign(real, { active, inactive });
}

/** What the list picks, and what the kernel picked; its counters are the kernel's. */
function picksOf({ scheduler: name, scheduler_flags: flags, vip, vport, protocol, events }: Sample) {
  const list = new KernelServer({ name, flags });
  const picks: { readonly picked: string | null | undefined; readonly chosen: string | null }[] = [];
  for (const event of events) {
    if (event.op === "conn") {
      const client = clientOf(event.src, event.sport, vip, vport, protocol === "tcp" ? 6 : 17);
      picks.push({ picked: expectedPicks(list, [client])[0], chosen: event.chosen });
    } else if (event.op !== "close") change(list, event);
    if ("counters_after" in event) for (const one of event.counters_after ?? []) count(list, one);
  }
  return picks;
}

describe("schedulers over the kernel's list pick what a kernel picked", () => {
  skipWithout(NAMES, SAMPLES);
  it.each(NAMES)("%s", (name) => {
    for (const picks of scheduledOf(name).map(picksOf)) {
      expect(picks.length).toBeGreaterThan(0);
      expect(picks.map(({ picked }) => picked)).toEqual(picks.map(({ chosen }) => chosen));
    }
  });
});
