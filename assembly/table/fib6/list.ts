import { PART_FIB6 } from "../../abi/image";
import { Image } from "../../image";
import { takeCell } from "../../memory/cells";
import { WORDS_AT } from "../routes/fib";
import { RouteNode, SLOTS, STRIDE, slotsUnder } from "../routes/layout";
import { childAt, hasChild, leafOver } from "../routes/lookup";
import {
  LIST6_FROM,
  LIST6_LEAVES,
  LIST6_LEN,
  LIST6_RUNS,
  LIST6_TO,
  LIST6_TURN,
  LIST6_UNUSED,
  WORD6_LEAF,
  WORD6_LIST,
} from "./layout";

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
function collect(
  image: Image,
  node: RouteNode,
  depth: u32,
  first: u32,
  inherited: u32,
  collected: u32,
): u32 {
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
      count = collect(image, RouteNode.at(image, childAt(image, node, slot)), depth + STRIDE, place, leaf, count);
      if (count > LIST6_RUNS) return count;
      continue;
    }
    if (count == LIST6_RUNS) return LIST6_RUNS + 1;
    if (count != 0) store<u32>(list + ((count - 1) << 2), (place - 1) ^ LIST6_TURN);
    store<u32>(list + (count << 2), leaf << WORD6_LEAF, LIST6_LEAVES);
    count++;
  }
  return count;
}

/** Lays a node and all below it out as a list (scratch); false if it is not to be one. */
export function list6Collect(image: Image, node: RouteNode, depth: u32, high: u64, inherited: u32): bool {
  if (depth < LIST6_FROM || depth >= LIST6_TO) return false;
  const first = <u32>((high & (~(<u64>0) << (64 - depth))) >> (64 - LIST6_TO));
  const count = collect(image, node, depth, first, inherited, 0);
  if (count > LIST6_RUNS) return false;
  const list = image.to(WORDS_AT);
  for (let i = count; i <= LIST6_RUNS; i++) store<u32>(list + ((i - 1) << 2), LIST6_UNUSED);
  return true;
}

/** The word of a new list with what was collected; 0 without room. */
export function list6Create(image: Image): u32 {
  const list = takeCell(image, LIST6_LEN, PART_FIB6);
  if (list == 0) return 0;
  list6Fill(image, list);
  return list | WORD6_LIST;
}

/** Writes what was collected to a list that is there. */
export function list6Fill(image: Image, list: u32): void {
  memory.copy(image.to(list), image.to(WORDS_AT), LIST6_LEN);
}
