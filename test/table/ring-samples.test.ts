import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ip4 } from "../bare-node.js";
import { KernelServer } from "../oracle/schedulers.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";
import { clientOf, expectedPicks, RingNode } from "./ring-node.js";

/** What a kernel was seen to do, in its order. */
type Event =
  | {
      readonly op: "add_dest" | "set_weight";
      readonly addr: string;
      readonly port: number;
      readonly weight: number;
    }
  | { readonly op: "del_dest"; readonly addr: string; readonly port: number }
  | { readonly op: "conn"; readonly src: string; readonly sport: number; readonly chosen: string | null }
  | { readonly op: "close" };

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
  // Persistence and one-packet scheduling are not modelled.
  return services.filter(({ ipvsadm_extra }) => ipvsadm_extra === "");
}

const NAMES = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter(
      (name) => /^(rr|wrr|sh|dh|mh)_.*\.json$/.test(name) && samplesOf(name).length > 0,
    )
  : [];

function change(list: KernelServer, event: Exclude<Event, { op: "conn" | "close" }>): void {
  const address = ip4(event.addr);
  const real = list.find(address, event.port);
  if (event.op === "add_dest") list.add(address, event.port, event.weight);
  else if (real === undefined) throw new Error(`there is no ${event.addr}:${event.port}`);
  else if (event.op === "del_dest") list.remove(real);
  else list.setWeight(real, event.weight);
}

describe("ring: connections as a kernel scheduled them", () => {
  skipWithout(NAMES, FOLDER);
  it.each(NAMES)("%s", async (name) => {
    for (const { scheduler, scheduler_flags: flags, vip, vport, protocol, events } of samplesOf(name)) {
      const list = new KernelServer({ name: scheduler, flags });
      const node = await RingNode.make(vip, protocol === "udp" ? 17 : 6);
      let connections = 0;
      for (const event of events) {
        if (event.op === "close") continue;
        if (event.op !== "conn") {
          change(list, event);
          node.take(list, vport);
          continue;
        }
        const clients = [clientOf(event.src, event.sport, vip, vport, protocol === "udp" ? 17 : 6)];
        expect(expectedPicks(list, clients), `the oracle, ${name}`).toEqual([event.chosen]);
        expect(node.picks(clients), name).toEqual([event.chosen]);
        connections++;
      }
      expect(connections).toBeGreaterThan(0);
    }
  });
});
