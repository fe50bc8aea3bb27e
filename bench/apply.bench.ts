import { Engine } from "../src/engine/engine.js";
import { PROXY_MODES } from "../src/ruleset/ruleset.js";
import { changeScene, changesOf } from "./change-scene.js";
import type { Case, Topic } from "./topic.js";

const SIZE = { services: 2000, endpoints: 5, routes: 20_000 };
/** Each is made and taken back. */
const CHANGES = 200;

async function cases(): Promise<readonly Case[]> {
  const all: Case[] = [];
  for (const mode of PROXY_MODES) {
    const ruleset = changeScene(SIZE, mode);
    const engine = await Engine.load(ruleset, { connections: 1024 });
    const { toggle } = changesOf(ruleset, 1);
    const toggles = Array.from({ length: CHANGES }, toggle);
    const run = () => {
      for (const { there, back } of toggles) {
        engine.apply(there);
        engine.apply(back);
      }
    };
    all.push({
      name: `${mode}, ${SIZE.services} Services and ${SIZE.routes} routes`,
      unit: "change",
      count: 2 * CHANGES,
      contenders: [{ name: "packetyard", run }],
    });
  }
  return all;
}

/** Routes, endpoints and Services that come and go in a running engine; `npm run bench:changes` has the tails. */
export const applyTopic: Topic = { name: "apply", cases };
