import { existsSync } from "node:fs";
import { join } from "node:path";

/** Real captures, manifests and tables, which are no part of the project: tests over them are skipped without it. */
export const SHARED = process.env.PACKETYARD_SHARED ?? "../shared";

const PARTS = ["data/iptables", "data/k8s", "data/pcap", "data/routing", "spec/chain-names.json"];

/** What tests cannot read of the folder, in one sentence; undefined where everything is there. */
export function absence(shared: string): string | undefined {
  const absent = PARTS.filter((part) => !existsSync(join(shared, part)));
  if (absent.length === 0) return undefined;
  const what = existsSync(shared) ? `${absent.join(", ")} in the folder ${shared}` : `folder ${shared}`;
  return `tests over shared data are skipped, as there is no ${what}: set PACKETYARD_SHARED to where it is.`;
}

/** vitest's globalSetup: reporters pass over the names of skipped tests, so it is said once here. */
export function setup(): void {
  const message = absence(SHARED);
  if (message !== undefined) console.warn(message);
}
