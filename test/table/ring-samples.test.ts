import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ip4 } from "../bare-node.js";
import { KernelServer } from "../oracle/schedulers.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";
import { LoadedNode } from "./ring-loads.js";
import { clientOf, expectedPicks } from "./ring-node.js";

/** Connections of every server, behind an event. */
interface Counters {
  readonly dest: string;
  readonly active: number;
  readonly inactive: number;
}

interface Counted {
  readonly counters_after?: readonly Counters[];
}

/** What a kernel was seen to do, in its order. */
type Event =
  | {
      readonly op: "add_dest" | "set_weight";
      readonly addr: string;
      readonly port: number;
      readonly weight: number;
    }
  | { readonly op: "del_dest"; readonly addr: string; readonly port: number }
  | ({
      readonly op: "conn";
      readonly src: string;
      readonly sport: number;
      readonly chosen: string | null;
    } & Counted)
  | ({ readonly op: "close" } & Counted);

interface Sample {
  readonly scheduler: string;
  readonly scheduler_flags: readonly string[];
  readonly ipvsadm_extra: string;
  readonly protocol: "tcp" | "udp";
  readonly vip: string;
  readonly vport: number;
  readonly events: readonly Event[];
}

const FOLDER = join(SHARED, "spec/ipvs-samples");
function samplesOf(name: string): readonly Sample[] {
  const { services } = JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as {
    services: readonly Sample[];
  };
  // A scheduler is not asked for clients that are kept.
  return services.filter(({ ipvsadm_extra }) => !ipvsadm_extra.includes("-p"));
}

const NAMES = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.endsWith(".json") && samplesOf(name).length > 0)
  : [];

function change(list: KernelServer, event: Exclude<Event, { op: "conn" | "close" }>): void {
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

const PROTOCOL = { tcp: 6, udp: 17 } as const;

describe("ring: connections as a kernel scheduled them", () => {
  skipWithout(NAMES, FOLDER);
  it.each(NAMES)("%s", async (name) => {
    for (const { scheduler, scheduler_flags: flags, vip, vport, protocol, events } of samplesOf(name)) {
      const list = new KernelServer({ name: scheduler, flags });
      const node = await LoadedNode.make([vip], PROTOCOL[protocol], vport);
      let connections = 0;
      for (const event of events) {
        if (event.op !== "conn" && event.op !== "close") {
          change(list, event);
          node.take(list, false);
          continue;
        }
        if (event.op === "conn") {
          const client = clientOf(event.src, event.sport, vip, vport, PROTOCOL[protocol]);
          expect(expectedPicks(list, [client]), `the oracle, ${name}`).toEqual([event.chosen]);
          expect(node.pick(list, client), name).toBe(event.chosen);
          connections++;
        }
        for (const one of event.counters_after ?? []) count(list, one);
      }
      expect(connections).toBeGreaterThan(0);
    }
  });
});
