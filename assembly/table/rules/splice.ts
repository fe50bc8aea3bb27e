import { RULE_ENTRY_LEN } from "../../abi/entry";
import { PART_RULES, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image, SCRATCH_AT } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { Needs } from "../../memory/needs";
import {
  CURSOR_LEN,
  Cursor,
  cut,
  fillChunk,
  giveChunk,
  needChunk,
  restOctets,
  SPAN_LEN,
  Span,
} from "./chunk";
import {
  CHAIN_AT,
  CHAIN_COUNT,
  CHAIN_PIECES,
  CHUNK_MAX,
  CHUNK_MIN,
  PIECE_AT,
  PIECE_COUNT,
  PIECE_LEN,
} from "./layout";

/** Spans of a change in their order, in the writer's scratch; behind them one of zeros. */
const SPAN_PREVIOUS: u32 = 0;
/** What stays of the first chunk that changes. */
const SPAN_HEAD: u32 = 1;
const SPAN_ENTRIES: u32 = 2;
/** What stays of the last. */
const SPAN_TAIL: u32 = 3;
const SPAN_NEXT: u32 = 4;
const SPANS: u32 = 5;
const AHEAD_AT: u32 = SCRATCH_AT + (SPANS + 1) * SPAN_LEN;
const COPIED_AT: u32 = AHEAD_AT + CURSOR_LEN;
const PIECE_SPARE_AT: u32 = COPIED_AT + CURSOR_LEN;
const SPLICE_LEN: u32 = PIECE_SPARE_AT + PIECE_LEN - SCRATCH_AT;
const OCTETS_MAX: u64 = 1 << 29;

function spanAt(image: Image, index: u32): Span {
  return Span.at(image.to(SCRATCH_AT) + index * SPAN_LEN);
}

/** A cursor of the scratch at the first rule of the spans. */
function cursorAt(image: Image, at: u32): Cursor {
  return Cursor.at(image.to(at)).start(image.to(SCRATCH_AT));
}

function clearSpans(image: Image): void {
  const nowhere = image.to(SCRATCH_AT);
  for (let i: u32 = 0; i < SPANS; i++) spanAt(image, i).set(nowhere, 0, nowhere, 0);
  spanAt(image, SPANS).set(0, 0, 0, 0);
}

/** Rules of a piece's chunk as a span. */
function spanPiece(image: Image, index: u32, piece: usize, from: u32, count: u32): void {
  const chunk = image.to(load<u32>(piece, PIECE_AT));
  spanAt(image, index).set(chunk + from * RULE_ENTRY_LEN, count, chunk, 0);
}

/** The row of a chain's pieces. */
function piecesOf(image: Image, chain: usize): usize {
  return load<u32>(chain, CHAIN_PIECES) > 1 ? image.to(load<u32>(chain, CHAIN_AT)) : chain;
}

function countOf(pieces: usize, index: u32): u32 {
  return load<u32>(pieces + index * PIECE_LEN, PIECE_COUNT);
}

function giveChunks(image: Image, pieces: usize, from: u32, to: u32): void {
  for (let i = from; i < to; i++) giveChunk(image, pieces + i * PIECE_LEN);
}

/** Makes chunks of what the spans hold; false, and nothing changed, without room. */
function layOut(image: Image, pieces: usize, target: u32): bool {
  const ahead = cursorAt(image, AHEAD_AT);
  const copied = cursorAt(image, COPIED_AT);
  for (let i: u32 = 0; ahead.rule != 0; i++) {
    if (fillChunk(image, pieces + i * PIECE_LEN, copied, cut(ahead, target))) continue;
    giveChunks(image, pieces, 0, i);
    return false;
  }
  return true;
}

function chunksIn(image: Image, target: u32): u32 {
  const ahead = cursorAt(image, AHEAD_AT);
  let chunks: u32 = 0;
  for (; ahead.rule != 0; chunks++) cut(ahead, target);
  return chunks;
}

/** The size to which chunks of so many octets are filled: evenly, so that the next changes find room in all of them. */
function targetOf(octets: u32): u32 {
  return octets == 0 ? 1 : (octets - 1) / ((octets - 1) / CHUNK_MAX + 1) + 1;
}

/** Counts what a chain of entries that were checked needs, beside what it had; false where it is too large. */
export function needsOf(image: Image, needs: Needs, rules: usize, count: u32, words: usize): bool {
  clearSpans(image);
  if (count != 0) spanAt(image, SPAN_ENTRIES).set(rules, count, words, 2);
  const octets = restOctets(cursorAt(image, AHEAD_AT));
  let chunks: u32 = 0;
  if (octets <= OCTETS_MAX) {
    const ahead = cursorAt(image, AHEAD_AT);
    for (; ahead.rule != 0; chunks++) needChunk(needs, cut(ahead, targetOf(<u32>octets)));
  }
  if (chunks > 1) needs.block(chunks * PIECE_LEN);
  memory.fill(image.to(SCRATCH_AT), 0, SPLICE_LEN);
  return octets <= OCTETS_MAX;
}

/** Puts what the spans hold, so many octets, in the place of pieces `from` to `to`; false, and nothing changed, without room. */
function replace(image: Image, chain: usize, from: u32, to: u32, octets: u32): bool {
  const target = targetOf(octets);
  const before = load<u32>(chain, CHAIN_PIECES);
  const chunks = chunksIn(image, target);
  const count = before - (to - from) + chunks;
  const row = count > 1 ? takeBlock(image, count * PIECE_LEN, PART_RULES) : 0;
  if (row == 0 && count > 1) return false;
  const pieces = image.to(count > 1 ? row : PIECE_SPARE_AT);
  if (!layOut(image, pieces + from * PIECE_LEN, target)) {
    if (row != 0) giveBlock(image, row, count * PIECE_LEN, PART_RULES);
    return false;
  }
  const old = piecesOf(image, chain);
  memory.copy(pieces, old, from * PIECE_LEN);
  memory.copy(pieces + (from + chunks) * PIECE_LEN, old + to * PIECE_LEN, (before - to) * PIECE_LEN);
  giveChunks(image, old, from, to);
  if (before > 1) giveBlock(image, load<u32>(chain, CHAIN_AT), before * PIECE_LEN, PART_RULES);
  if (count > 1) store<u32>(chain, row, CHAIN_AT);
  else memory.copy(chain, pieces, PIECE_LEN);
  store<u32>(chain, count, CHAIN_PIECES);
  return true;
}

/** Takes a neighbour of pieces `from` to `to` among the spans; whether it is the one behind them. */
function joinsNext(image: Image, pieces: usize, from: u32, to: u32, last: u32): bool {
  const isNext = to < last;
  const index = isNext ? to : from - 1;
  const span = isNext ? SPAN_NEXT : SPAN_PREVIOUS;
  spanPiece(image, span, pieces + index * PIECE_LEN, 0, countOf(pieces, index));
  return isNext;
}

function spliceChain(
  image: Image,
  chain: usize,
  at: u32,
  removed: u32,
  rules: usize,
  count: u32,
  words: usize,
): u32 {
  const pieces = piecesOf(image, chain);
  const last = load<u32>(chain, CHAIN_PIECES);
  let from: u32 = 0;
  let start: u32 = 0;
  while (from + 1 < last && at > start + countOf(pieces, from)) start += countOf(pieces, from++);
  let to = from;
  let end = start;
  while (to < last && (to == from || at + removed > end)) end += countOf(pieces, to++);
  if (count != 0) spanAt(image, SPAN_ENTRIES).set(rules, count, words, 2);
  if (from != to) {
    const tail = end - at - removed;
    spanPiece(image, SPAN_HEAD, pieces + from * PIECE_LEN, 0, at - start);
    spanPiece(image, SPAN_TAIL, pieces + (to - 1) * PIECE_LEN, countOf(pieces, to - 1) - tail, tail);
  }
  let octets = restOctets(cursorAt(image, AHEAD_AT));
  if (octets < CHUNK_MIN && to - from != last) {
    if (joinsNext(image, pieces, from, to, last)) to++;
    else from--;
    octets = restOctets(cursorAt(image, AHEAD_AT));
  }
  if (octets > OCTETS_MAX) return STATUS_BAD_ENTRY;
  return replace(image, chain, from, to, <u32>octets) ? STATUS_OK : STATUS_NO_SPACE;
}

/** As chainSplice, for a head and entries that were checked. */
export function splice(
  image: Image,
  chain: usize,
  at: u32,
  removed: u32,
  rules: usize,
  count: u32,
  words: usize,
): u32 {
  const total = load<u32>(chain, CHAIN_COUNT) - removed + count;
  clearSpans(image);
  const status = spliceChain(image, chain, at, removed, rules, count, words);
  // Spans are addresses, and an image that is saved holds none.
  memory.fill(image.to(SCRATCH_AT), 0, SPLICE_LEN);
  if (status == STATUS_OK) store<u32>(chain, total, CHAIN_COUNT);
  return status;
}
