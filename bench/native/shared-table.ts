import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type FullTable, readFullTable } from "./tables.js";

/** The Internet table of the shared data; undefined where there is none. */
export function findFullTable(shared: string): FullTable | undefined {
  const folder = join(shared, "data", "routing");
  if (!existsSync(folder)) return undefined;
  const name = readdirSync(folder).find((one) => /full-table.*\.txt\.gz$/.test(one));
  if (name === undefined) return undefined;
  return readFullTable(gunzipSync(readFileSync(join(folder, name))).toString("latin1"));
}
