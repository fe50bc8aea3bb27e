import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The package's own root, wherever it is installed and from wherever this is run. */
const ROOT = dirname(createRequire(import.meta.url).resolve("packetyard/package.json"));

/** The cluster that commands take when none is given. */
export const EXAMPLE_CLUSTER = join(ROOT, "examples", "shop.yaml");

/** `0.1.0` */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  return version;
}
