import { PART_FIB6 } from "../../abi/image";
import { Image } from "../../image";
import { giveCell, takeCell } from "../../memory/cells";
import { WORDS_AT } from "../routes/fib";
import { RouteNode, SLOTS, STRIDE, slotsUnder } from "../routes/layout";
import { childAt, hasChild, leafOver } from "../routes/lookup";
import {
  LIST6_FROM,
  LIST6_RUNS,
  LIST6_RUNS_MIN,
  LIST6_TO,
  LIST6_TURN,
  LIST6_UNUSED,
  WORD6_BLOCK,
  WORD6_LEAF,
  WORD6_LIST,
  WORD6_OFFSET,
  WORD6_SHIFT,
} from "./layout";

/** The scratch has a list's places first, and its leaves from here on. */
const COLLECTED_LEAVES: usize = LIST6_RUNS * 4;

/** Lists depend on where prefixes begin and end, never on their next hops: a change of those alone moves nothing. */

/** Bit i for every slot i at which a prefix or a child of the node begins, or the one before has ended. */
function starts(node: RouteNode): u64 {
  const whole = node.full | node.children;
  let slots = whole | (whole << 1) | 1;
  let inner = node.inner;
  while (inner != 0) {
    const bit = <u32>ctz<u64>(inner);
    const level = 31 - <u32>clz<u32>(bit);
    const under = slotsUnder((bit << (STRIDE - level)) & (SLOTS - 1), level);
    const first = under & (0 - under);
    slots |= first | (under + first);
    inner &= inner - 1;
  }
  return slots;
}

/** Adds a node's runs to those already laid out (scratch); how many there are then, or one more than a list holds. */
function collect(image: Image, node: RouteNode, depth: u32, first: u32, inherited: u32, collected: u32): u32 {
  if (depth + node.depth > LIST6_TO) return LIST6_RUNS + 1;
  const list = image.to(WORDS_AT);
  let count = collected;
  let rest = starts(node);
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    rest &= rest - 1;
    const up = <i32>(LIST6_TO - STRIDE - depth);
    const place = first | (up >= 0 ? slot << up : slot >> -up);
    const leaf = leafOver(image, node, slot, STRIDE + 1, inherited);
    if (hasChild(node, slot)) {
      count = collect(
        image,
        RouteNode.at(image, childAt(image, node, slot)),
        depth + STRIDE,
        place,
        leaf,
        count,
      );
      if (count > LIST6_RUNS) return count;
      continue;
    }
    if (count == LIST6_RUNS) return LIST6_RUNS + 1;
    if (count != 0) store<u32>(list + ((count - 1) << 2), (place - 1) ^ LIST6_TURN);
    store<u32>(list + (count << 2), leaf << WORD6_LEAF, COLLECTED_LEAVES);
    count++;
  }
  return count;
}

/** Lays a node and all below it out as a list (scratch); how many runs it has, 0 if it is not to be one. */
export function list6Collect(image: Image, node: RouteNode, depth: u32, high: u64, inherited: u32): u32 {
  if (depth < LIST6_FROM || depth >= LIST6_TO) return 0;
  const first = <u32>((high & (~(<u64>0) << (64 - depth))) >> (64 - LIST6_TO));
  const count = collect(image, node, depth, first, inherited, 0);
  if (count > LIST6_RUNS) return 0;
  const list = image.to(WORDS_AT);
  for (let i = count; i <= LIST6_RUNS; i++) store<u32>(list + ((i - 1) << 2), LIST6_UNUSED);
  return count;
}

export function isList6(word: u32): bool {
  return (word & (WORD6_BLOCK | WORD6_LIST)) == WORD6_LIST;
}

/** Octets of a list. */
function listOctets(word: u32): u32 {
  return LIST6_RUNS_MIN << (3 + (word & WORD6_SHIFT));
}

/** The word, without offset, of a list of so many runs. */
function listKind(runs: u32): u32 {
  return WORD6_LIST | (runs <= LIST6_RUNS_MIN ? 0 : runs <= LIST6_RUNS_MIN * 2 ? 1 : 2);
}

function listWrite(image: Image, word: u32): void {
  const octets = listOctets(word) >> 1;
  const at = image.to(word & WORD6_OFFSET);
  memory.copy(at, image.to(WORDS_AT), octets);
  memory.copy(at + octets, image.to(WORDS_AT) + COLLECTED_LEAVES, octets);
}

/** The word of a list with the runs that were collected; in place of `old` if that is a list of the same size. */
export function list6Store(image: Image, runs: u32, old: u32): u32 {
  const kind = listKind(runs);
  let word = old;
  if ((old & (WORD6_BLOCK | WORD6_LIST | WORD6_SHIFT)) != kind)
    word = takeCell(image, listOctets(kind), PART_FIB6) | kind;
  listWrite(image, word);
  return word;
}

/** Gives back a list. */
export function list6Clear(image: Image, word: u32): void {
  giveCell(image, word & WORD6_OFFSET, listOctets(word), PART_FIB6);
}
