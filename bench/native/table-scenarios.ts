import { Random } from "../baseline/random.js";
import * as keys from "./keys.js";
import { type Scenario, writeAll } from "./scenario.js";
import { type FullTable, k8sRoutes, packRoutes4, packRoutes6 } from "./tables.js";
import { drawTuples, hitKeys, missKeys } from "./tuples.js";

export function lpm4Scenario(full: FullTable): Scenario {
  const work = "IPv4 LPM";
  const { ip4 } = full;
  return {
    name: "lpm4-full",
    subject: "lpm4",
    cases: [
      { work, keys: "full table, uniform", file: "uniform.bin", goal: 0.5 },
      { work, keys: "full table, in-prefix", file: "in-prefix.bin", goal: 1.8 },
      { work, keys: "full table, zipf", file: "zipf.bin", goal: 1.3 },
    ],
    write: (folder) =>
      writeAll(folder, {
        "routes.bin": packRoutes4(ip4),
        "uniform.bin": keys.uniformKeys4(new Random(11)),
        "in-prefix.bin": keys.inPrefixKeys4(new Random(12), ip4),
        "zipf.bin": keys.zipfKeys4(new Random(13), ip4),
      }),
  };
}

/** All routes put into an empty table; then, to see that it is one, looked up. */
export function buildScenario({ ip4 }: FullTable): Scenario {
  return {
    name: "build4-full",
    subject: "build4",
    cases: [{ work: "IPv4 table built, a route", keys: "full table", file: "uniform.bin", goal: 3 }],
    write: (folder) =>
      writeAll(folder, {
        "routes.bin": packRoutes4(ip4),
        "uniform.bin": keys.uniformKeys4(new Random(16)),
      }),
  };
}

export function k8sScenario(): Scenario {
  const work = "IPv4 LPM";
  return {
    name: "lpm4-k8s",
    subject: "lpm4",
    cases: [
      { work, keys: "k8s, uniform", file: "uniform.bin", goal: 0.5 },
      { work, keys: "k8s, in-prefix", file: "in-prefix.bin", goal: 1 },
    ],
    write: (folder) => {
      const routes = k8sRoutes(new Random(1));
      // A host of a half of the Internet would be a uniform key: the default route is no prefix to be in.
      const prefixes = routes.filter(({ length }) => length > 1);
      writeAll(folder, {
        "routes.bin": packRoutes4(routes),
        "uniform.bin": keys.uniformKeys4(new Random(14)),
        "in-prefix.bin": keys.inPrefixKeys4(new Random(15), prefixes),
      });
    },
  };
}

export function lpm6Scenario({ ip6 }: FullTable): Scenario {
  const work = "IPv6 LPM";
  return {
    name: "lpm6-full",
    subject: "lpm6",
    cases: [
      { work, keys: "full table, uniform in 2000::/3", file: "uniform.bin", goal: 1.7 },
      { work, keys: "full table, in-prefix", file: "in-prefix.bin", goal: 1.35 },
      { work, keys: "full table, zipf", file: "zipf.bin", goal: 2.4 },
    ],
    write: (folder) =>
      writeAll(folder, {
        "routes.bin": packRoutes6(ip6),
        "uniform.bin": keys.uniformKeys6(new Random(21)),
        "in-prefix.bin": keys.inPrefixKeys6(new Random(22), ip6),
        "zipf.bin": keys.zipfKeys6(new Random(23), ip6),
      }),
  };
}

export function hashScenario(label: string, entries: number, goal: number): Scenario {
  return {
    name: `hash-${label}`,
    subject: "hash",
    cases: [
      { work: "5-tuple hit", keys: `${label} entries`, file: "hits.bin", goal },
      { work: "5-tuple miss", keys: `${label} entries`, file: "misses.bin" },
    ],
    write: (folder) => {
      const tuples = drawTuples(new Random(31), entries / 2);
      writeAll(folder, {
        "tuples.bin": tuples,
        "hits.bin": hitKeys(new Random(32), tuples),
        "misses.bin": missKeys(new Random(33), tuples),
      });
    },
  };
}
