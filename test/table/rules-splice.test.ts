import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HOOK_PREROUTING,
  MATCH_SPORT,
  TARGET_DROP,
  TARGET_NUMGEN,
  TARGET_REJECT,
} from "../../assembly/abi/entry.js";
import { PART_RULES, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { printIp } from "../../src/net/ip.js";
import { tcp } from "../../src/packet/build.js";
import { BareNode } from "../bare-node.js";

const CHAIN = 1;
const FIRST = 0x0a000000;
const CONNECTIONS = 1000;

/** How many words a rule has: none, matches, or a target's, up to more than a chunk holds. */
type Size = "plain" | "matches" | "words" | "huge";

/** A rule that rejects packets to its own address; what it is by is how far a packet walks. */
function ruleOf(id: number, size: Size): RuleDraft {
  const draft = new RuleDraft().dst({ address: FIRST + id, length: 32 }, false);
  if (size === "matches") draft.match(MATCH_SPORT, false, 1, 1).match(MATCH_SPORT, true, 2, 3);
  if (size === "plain" || size === "matches") return draft.target(TARGET_REJECT);
  const words = new Array<number>(size === "words" ? 1 + (id % 20) : 3000).fill(TARGET_REJECT);
  return draft.target(TARGET_NUMGEN, words.length, ...words);
}

/** A node that walks one chain, and the rules that it should have. */
class SplicedNode {
  readonly rules: { readonly id: number; readonly size: Size }[] = [];
  #ids = 0;

  private constructor(readonly node: BareNode) {}

  static async make(capacity = 1 << 22): Promise<SplicedNode> {
    const node = await BareNode.make({ connections: CONNECTIONS, capacity });
    node.route("0.0.0.0/0", { kind: "direct", out: 2 }).chain(CHAIN).hook(HOOK_PREROUTING, CHAIN);
    return new SplicedNode(node);
  }

  status(at: number, removed: number, rules: readonly RuleDraft[]): number {
    const { machine, address } = this.node.image;
    return this.node.withRules(rules, (from, count, wordsAt, wordCount) =>
      machine.chainSplice(address, CHAIN, at, removed, from, count, wordsAt, wordCount),
    );
  }

  /** Positions and counts as parts of what there is. */
  splice(where: number, share: number, sizes: readonly Size[]): number {
    const at = Math.round(where * this.rules.length);
    const removed = Math.round(share * (this.rules.length - at));
    const added = sizes.map((size) => ({ id: this.#ids++, size }));
    const drafts = added.map(({ id, size }) => ruleOf(id, size));
    const status = this.status(at, removed, drafts);
    if (status === STATUS_OK) this.rules.splice(at, removed, ...added);
    return status;
  }

  /** A packet for every id that ever was: it walks to its rule, or past them all. */
  check(): void {
    const positions = new Map(this.rules.map(({ id }, index) => [id, index]));
    const ids = Array.from({ length: this.#ids }, (_, id) => id);
    const frames = ids.map((id) => tcp("10.9.9.9:1", `${printIp(FIRST + id)}:80`));
    const walks: unknown[] = [];
    for (let from = 0; from < frames.length; from += CONNECTIONS) {
      const results = this.node.run(frames.slice(from, from + CONNECTIONS));
      for (const { verdict, walked } of results) walks.push([verdict, walked]);
      this.node.image.machine.flowsClear(this.node.image.state);
    }
    const expected = ids.map((id) => {
      const position = positions.get(id);
      return position === undefined ? ["FORWARD", this.rules.length] : ["REJECT", position + 1];
    });
    expect(walks).toEqual(expected);
  }
}

const size = fc.constantFrom<Size>("plain", "plain", "plain", "matches", "words");
const place = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const few = fc.array(size, { maxLength: 4, size: "max" });
const many = fc.array(size, { minLength: 100, maxLength: 400, size: "max" });
const change = fc.tuple(
  place,
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 0.01) }, { weight: 1, arbitrary: place }),
  fc.oneof(
    { weight: 4, arbitrary: few },
    { weight: 2, arbitrary: many },
    { weight: 1, arbitrary: fc.constantFrom<Size[]>(["huge"], ["plain", "huge", "plain"]) },
  ),
);

describe("a chain that is changed in the middle", () => {
  it("has the rules that an array would have, in their order", async () => {
    let longest = 0;
    const property = fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 20 }), async (changes) => {
      const spliced = await SplicedNode.make();
      for (const [where, share, sizes] of changes) {
        expect(spliced.splice(where, share, sizes)).toBe(STATUS_OK);
        longest = Math.max(longest, spliced.rules.length);
      }
      spliced.check();
    });
    await fc.assert(property, { numRuns: 60, endOnFailure: true });
    expect(longest).toBeGreaterThan(600);
  });

  it("is refused positions that it does not have, and rules that are none, and stays as it is", async () => {
    const spliced = await SplicedNode.make();
    spliced.splice(0, 0, new Array<Size>(300).fill("plain"));
    const before = spliced.node.image.copy();
    const rule = ruleOf(999, "plain");
    expect(spliced.status(301, 0, [rule])).toBe(STATUS_BAD_ENTRY);
    expect(spliced.status(300, 1, [])).toBe(STATUS_BAD_ENTRY);
    expect(spliced.status(0xffffffff, 2, [])).toBe(STATUS_BAD_ENTRY);
    expect(spliced.status(1, 0xffffffff, [])).toBe(STATUS_BAD_ENTRY);
    expect(spliced.status(1, 0, [rule, new RuleDraft().target(99)])).toBe(STATUS_BAD_ENTRY);
    expect(Buffer.compare(spliced.node.image.copy(), before)).toBe(0);
    spliced.check();
  });

  it("stays as it is where there is no room, and takes the change with more", async () => {
    const spliced = await SplicedNode.make(1 << 19);
    let status: number = STATUS_OK;
    for (let step = 0; status === STATUS_OK; step++)
      status = spliced.splice((step % 7) / 7, 0, new Array<Size>(97).fill("words"));
    expect(status).toBe(STATUS_NO_SPACE);
    expect(spliced.rules.length).toBeGreaterThan(1000);
    spliced.check();
  });

  it("gives its room back: many changes do not grow the image", async () => {
    const spliced = await SplicedNode.make();
    const { image } = spliced.node;
    const empty = image.octets(PART_RULES);
    let seed = 1;
    const draw = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const drafts = Array.from({ length: 40 }, (_, id) => ruleOf(id, id % 3 === 0 ? "words" : "plain"));
    const tops: number[] = [];
    let length = 0;
    for (let step = 0; step < 20_000; step++) {
      const at = draw(length + 1);
      const removed = Math.min(length - at, length > 2000 ? draw(80) : draw(6));
      const added = drafts.slice(0, draw(length > 2000 ? 8 : 40));
      expect(spliced.status(at, removed, added)).toBe(STATUS_OK);
      length += added.length - removed;
      tops.push(image.top);
    }
    expect(Math.max(...tops)).toBeLessThan(1.5 * (tops[2000] ?? 0));
    expect(spliced.status(0, length, [new RuleDraft().target(TARGET_DROP)])).toBe(STATUS_OK);
    expect(spliced.status(0, 1, [])).toBe(STATUS_OK);
    expect(image.octets(PART_RULES)).toBe(empty);
  });
});
