import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CHAIN_ROW_LEN,
  EXACT_ENTRY_LEN,
  EXACT6_ENTRY_LEN,
  NEXT_HOP_ENTRY_LEN,
  RULE_ENTRY_LEN,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_ACCEPT,
  TARGET_NUMGEN,
} from "../../assembly/abi/entry.js";
import {
  PART_EXACT,
  PART_RULES,
  PART_SERVERS,
  STATUS_BAD_ENTRY,
  STATUS_OK,
} from "../../assembly/abi/image.js";
import {
  SCHEDULER_MH,
  SCHEDULER_RR,
  SCHEDULER_SH,
  SERVER_ENTRY_LEN,
  SERVER_ROW_LEN,
  SERVER_ROW_SCHEDULER,
} from "../../assembly/abi/server.js";
import { BareImage } from "../bare-image.js";
import { CAPACITY, callAtLimit, contents, expectWhole } from "./whole.js";

const ROOM = 1 << 20;
const make = () => BareImage.make({ capacity: CAPACITY });
const sizes = fc.record({ before: fc.nat(600), more: fc.integer({ min: 1, max: 1200 }) });

/** Refused, and nothing changed. */
function expectRefused(image: BareImage, call: () => number): void {
  const before = contents(image);
  expect(call()).toBe(STATUS_BAD_ENTRY);
  expect(contents(image).equals(before)).toBe(true);
}

describe.each([
  ["IPv4", "exactInsert", EXACT_ENTRY_LEN / 4],
  ["IPv6", "exact6Insert", EXACT6_ENTRY_LEN / 4],
] as const)("entries of %s keys, many at once", (_, call, words) => {
  /** Rows whose keys differ in their first word, each with its own value. */
  const rowsOf = (first: number, count: number) => {
    const rows = new Uint32Array(count * words);
    for (let index = 0; index < count; index++) {
      rows[index * words] = Math.imul(first + index, 0x9e3779b1);
      rows[index * words + words - 2] = (6 << 16) | 80;
      rows[index * words + words - 1] = first + index + 1;
    }
    return rows;
  };
  const insert = (image: BareImage, rows: Uint32Array) =>
    image.withWords(rows, (at) => image.machine[call](image.address, 1, at, rows.length / words));

  it("are taken whole or not at all, in a table that is there or not", async () => {
    await expectWhole(sizes, async ({ before, more }) => {
      const image = await make();
      if (before > 60) expect(insert(image, rowsOf(0, before))).toBe(STATUS_OK);
      // Some keys are there already, and some stand twice.
      const rows = Uint32Array.of(...rowsOf(before >> 1, more), ...rowsOf(before, 5));
      const limit = callAtLimit(image, ROOM, () => insert(image, rows));
      const octets = image.octets(PART_EXACT);
      expect(insert(image, rows)).toBe(STATUS_OK);
      expect(image.octets(PART_EXACT)).toBe(octets);
      return limit;
    });
  });

  it("are refused for a value of 0, before there is a table", async () => {
    const image = await make();
    const rows = rowsOf(0, 300);
    rows[rows.length - 1] = 0;
    expectRefused(image, () => insert(image, rows));
  });
});

/** Rules without matches, every third of them of NUMGEN with so many words. */
function chainsOf(first: number, lengths: readonly number[]) {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const rules = new Uint8Array(total * RULE_ENTRY_LEN);
  const view = new DataView(rules.buffer);
  const rows = new Uint32Array((lengths.length * CHAIN_ROW_LEN) / 4);
  const words: number[] = [];
  let rule = 0;
  for (const [index, length] of lengths.entries()) {
    const from = words.length;
    for (let one = 0; one < length; one++, rule++) {
      const isDrawn = rule % 3 === 0;
      view.setUint8(rule * RULE_ENTRY_LEN + RULE_TARGET, isDrawn ? TARGET_NUMGEN : TARGET_ACCEPT);
      view.setUint32(rule * RULE_ENTRY_LEN + RULE_WORDS, words.length - from, true);
      if (isDrawn) words.push(1 + (rule % 7), ...Array<number>(1 + (rule % 7)).fill(TARGET_ACCEPT));
    }
    rows.set([first + index, length, words.length - from], (index * CHAIN_ROW_LEN) / 4);
  }
  return { rows, rules: new Uint32Array(rules.buffer), words: Uint32Array.from(words) };
}

function setChains(image: BareImage, { rows, rules, words }: ReturnType<typeof chainsOf>): number {
  return image.withWords(Uint32Array.of(...rows, ...rules, ...words), (at) => {
    const rulesAt = at + rows.byteLength;
    const count = (rows.length * 4) / CHAIN_ROW_LEN;
    return image.machine.chainsSet(image.address, at, count, rulesAt, rulesAt + rules.byteLength);
  });
}

const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(600)), { minLength: 1, maxLength: 12 });

describe("chains, many at once", () => {
  it("are taken whole or not at all, new ones and others in the place of old ones", async () => {
    const drawn = fc.record({ before: lengths, more: lengths, first: fc.nat(40) });
    await expectWhole(drawn, async ({ before, more, first }) => {
      const image = await make();
      expect(setChains(image, chainsOf(0, before))).toBe(STATUS_OK);
      const chains = chainsOf(first, more);
      const limit = callAtLimit(image, ROOM, () => setChains(image, chains));
      const octets = image.octets(PART_RULES);
      expect(setChains(image, chains)).toBe(STATUS_OK);
      expect(image.octets(PART_RULES)).toBe(octets);
      return limit;
    });
  });

  it("are refused for the last one's last rule", async () => {
    const image = await make();
    const chains = chainsOf(0, [20, 300, 2]);
    const last = chains.rules.length - RULE_ENTRY_LEN / 4;
    new DataView(chains.rules.buffer).setUint8(last * 4 + RULE_TARGET, 0xff);
    expectRefused(image, () => setChains(image, chains));
  });
});

const SCHEDULERS = [SCHEDULER_RR, SCHEDULER_SH, SCHEDULER_MH] as const;

/** Virtual servers of so many real ones each, with schedulers in turn. */
function serversOf(first: number, counts: readonly number[]) {
  const rows = new Uint32Array((counts.length * SERVER_ROW_LEN) / 4);
  const reals: number[] = [];
  for (const [index, count] of counts.entries()) {
    rows.set([first + index, count, SCHEDULERS[index % 3] as number], (index * SERVER_ROW_LEN) / 4);
    for (let real = 0; real < count; real++) {
      const row = new Array<number>(SERVER_ENTRY_LEN / 4).fill(1);
      row[0] = 0x0af40000 + real;
      reals.push(...row);
    }
  }
  return { rows, reals };
}

function setServers(image: BareImage, { rows, reals }: ReturnType<typeof serversOf>): number {
  return image.withWords(Uint32Array.of(...rows, ...reals), (at) => {
    const count = (rows.length * 4) / SERVER_ROW_LEN;
    return image.machine.serversSet(image.address, at, count, at + rows.byteLength);
  });
}

const counts = fc.array(fc.nat(60), { minLength: 1, maxLength: 20 });

describe("virtual servers, many at once", () => {
  it("are taken whole or not at all", async () => {
    const drawn = fc.record({ before: counts, more: counts, first: fc.nat(60) });
    await expectWhole(drawn, async ({ before, more, first }) => {
      const image = await make();
      expect(setServers(image, serversOf(0, before))).toBe(STATUS_OK);
      const servers = serversOf(first, more);
      const limit = callAtLimit(image, ROOM, () => setServers(image, servers));
      const octets = image.octets(PART_SERVERS);
      expect(setServers(image, servers)).toBe(STATUS_OK);
      expect(image.octets(PART_SERVERS)).toBe(octets);
      return limit;
    });
  });

  it("are refused for the last one's scheduler", async () => {
    const image = await make();
    const servers = serversOf(0, [3, 4, 5]);
    servers.rows[servers.rows.length - SERVER_ROW_LEN / 4 + SERVER_ROW_SCHEDULER / 4] = 0xff;
    expectRefused(image, () => setServers(image, servers));
  });
});

describe("next hops, many at once", () => {
  const set = (image: BareImage, count: number, kindOfLast = 0) => {
    const entries = new Uint32Array((count * NEXT_HOP_ENTRY_LEN) / 4);
    entries[((count - 1) * NEXT_HOP_ENTRY_LEN) / 4] = kindOfLast;
    return image.withWords(entries, (at) => image.machine.nextHopsSet(image.address, at, count));
  };

  it("are taken whole or not at all", async () => {
    const drawn = fc.record({
      before: fc.integer({ min: 1, max: 64 }),
      more: fc.integer({ min: 1, max: 900 }),
    });
    await expectWhole(drawn, async ({ before, more }) => {
      const image = await make();
      expect(set(image, before)).toBe(STATUS_OK);
      return callAtLimit(image, ROOM, () => set(image, more));
    });
  });

  it("are refused for the last one", async () => {
    const image = await make();
    expectRefused(image, () => set(image, 40, 0xff));
  });
});
