import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SHARED } from "../shared-folder.js";

/** Connections that a kernel scheduled, as the sample files have them. */

export interface Counters {
  readonly dest: string;
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
}

export interface Destination {
  readonly addr: string;
  readonly port: number;
}

/** A change of the destinations. */
export type Change =
  | ({ readonly op: "add_dest"; readonly weight: number; readonly extra?: string } & Destination)
  | ({ readonly op: "set_weight"; readonly weight: number } & Destination)
  | ({ readonly op: "del_dest" } & Destination);

/** What a kernel was seen to do, in its order. */
export type Event =
  | Change
  | {
      readonly op: "conn";
      readonly id: number;
      readonly src: string;
      readonly sport: number;
      readonly chosen: string | null;
      readonly error?: string;
      readonly counters_after?: readonly Counters[];
    }
  | { readonly op: "close"; readonly id: number; readonly counters_after?: readonly Counters[] };

export interface Sample {
  readonly scheduler: string;
  readonly scheduler_flags: readonly string[];
  readonly ipvsadm_extra: string;
  readonly protocol: "tcp" | "udp";
  readonly vip: string;
  readonly vport: number;
  /** The command that made it. */
  readonly create: string;
  readonly events: readonly Event[];
  /** At the end. */
  readonly kernel_dest_order: readonly Counters[];
}

export const SAMPLES = join(SHARED, "spec/ipvs-samples");

/** Files of samples by name. */
export const SAMPLE_NAMES: readonly string[] = existsSync(SAMPLES)
  ? readdirSync(SAMPLES).filter((name) => name.endsWith(".json"))
  : [];

export function samplesOf(name: string): readonly Sample[] {
  return (JSON.parse(readFileSync(join(SAMPLES, name), "utf8")) as { services: readonly Sample[] }).services;
}
