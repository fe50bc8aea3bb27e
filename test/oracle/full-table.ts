import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parsePrefix } from "../../src/net/prefix.js";
import type { Route } from "./fib4.js";
import type { Route6 } from "./fib6.js";

const FOLDER = join(process.env.PACKETYARD_SHARED ?? "../shared", "data", "routing");

/** The file of a full Internet table in the shared folder, undefined without one. */
export function fullTablePath(): string | undefined {
  if (!existsSync(FOLDER)) return undefined;
  const name = readdirSync(FOLDER).find((file) => /full-table.*\.txt\.gz$/.test(file));
  return name === undefined ? undefined : join(FOLDER, name);
}

/**
 * The prefixes of a table, one a line, each with the next hop that `hopOf` gives its line. The lines that tell of
 * neither family are an error.
 */
export function readTable(
  path: string,
  hopOf: (line: number) => number,
): { readonly routes4: readonly Route[]; readonly routes6: readonly Route6[] } {
  const routes4: Route[] = [];
  const routes6: Route6[] = [];
  const lines = gunzipSync(readFileSync(path)).toString().trim().split("\n");
  for (const [line, text] of lines.entries()) {
    const prefix = parsePrefix(text.trim());
    if (prefix === undefined) throw new Error(`${path}: line ${line + 1}: ${text} is no prefix`);
    const { address, length } = prefix;
    if (typeof address === "number") routes4.push({ address, length, hop: hopOf(line) });
    else routes6.push({ address, length, hop: hopOf(line) });
  }
  return { routes4, routes6 };
}

/** Next hops as a router with 4,096 neighbours has them, and the worst case: one of its own for every prefix. */
export const HOPS_SHARED = (line: number): number => 1 + (line % 4096);
export const HOPS_OWN = (line: number): number => 1 + line;
