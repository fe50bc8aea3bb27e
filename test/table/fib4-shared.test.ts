import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { STATUS_OK } from "../../assembly/abi/image.js";
import { parseIp4 } from "../../src/net/ip.js";
import { parsePrefix } from "../../src/net/prefix.js";
import { BareImage } from "../bare-image.js";
import { filesUnder, readMaybeZipped } from "../packet/shared-captures.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";

const NONE = 0xffffffff;
const ROUTING = join(SHARED, "data", "routing");

/** A routing table of the shared folder with look-ups and their answers: a prefix, or what stands behind it. */
function sharedTables() {
  const files = filesUnder(ROUTING);
  return files
    .filter((file) => file.endsWith("-lookups.json.gz"))
    .flatMap((lookups) => {
      const stem = lookups.slice(0, -"lookups.json.gz".length);
      const table = files.find((file) => file.startsWith(stem) && file.endsWith(".txt.gz"));
      return table === undefined ? [] : [{ name: basename(stem), lookups, table }];
    });
}

function textOf(path: string): string {
  return new TextDecoder().decode(readMaybeZipped(path));
}

/** Next hops that the answers share, where there are more: 65,536 answers tell enough apart. */
const ANSWERS_MAX = 65_536;
const TABLES = sharedTables();

describe("fib4 with shared routing tables", () => {
  skipWithout(TABLES, ROUTING);

  it.each(TABLES)("answers the look-ups of $name as expected", async ({ lookups, table }) => {
    const image = await BareImage.make({ capacity: 1 << 28 });
    image.setHops(ANSWERS_MAX);
    const answers = new Map<string, number>();
    const text = textOf(table).split("\n");
    const rows = new Uint32Array(text.length * 3);
    let count = 0;
    for (const line of text) {
      const [prefix = "", answer = prefix] = line.trim().split(/\s+/);
      const { address, length } = parsePrefix(prefix) ?? {};
      if (typeof address !== "number" || length === undefined) continue;
      const hop = answers.get(answer) ?? answers.size % ANSWERS_MAX;
      answers.set(answer, hop);
      rows.set([address, length, hop], count++ * 3);
    }
    const status = image.withWords(rows, (at) => image.machine.routesInsert(image.address, at, count));
    expect(status).toBe(STATUS_OK);
    const { lookups: all } = JSON.parse(textOf(lookups)) as { lookups: [string, string | null][] };
    const expected = all.filter(([text]) => !text.includes(":"));
    const wrong = expected.filter(([text, answer]) => {
      const address = parseIp4(text) ?? 0;
      const hop = image.machine.routeLookup(image.address, address) >>> 0;
      const length = image.machine.routeLookupLength(image.address, address) >>> 0;
      if (answer === null) return hop !== NONE;
      return hop !== answers.get(answer) || !answer.endsWith(answer.includes("/") ? `/${length}` : "");
    });
    expect(wrong).toEqual([]);
    expect(expected.length).toBeGreaterThan(100);
  });
});
