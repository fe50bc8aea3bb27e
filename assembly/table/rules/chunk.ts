import { RULE_ENTRY_LEN, RULE_WORDS } from "../../abi/entry";
import { PART_RULES } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { CELL_MAX, giveCell, takeCell } from "../../memory/cells";
import { Needs } from "../../memory/needs";
import { wordOctets } from "./check";
import { CHUNK_MAX, PIECE_AT, PIECE_COUNT, PIECE_OCTETS } from "./layout";

/** Rules that stand one behind another: in a chunk, or as entries. Behind the last of several spans is one of zeros. */
@unmanaged
@final
export class Span {
  rule: u32;
  end: u32;
  /** What RULE_WORDS counts from, and in units of how many octets, as a shift. */
  words: u32;
  unit: u32;

  @inline
  static at(address: usize): Span {
    return changetype<Span>(address);
  }

  set(rules: usize, count: u32, words: usize, unit: u32): void {
    this.rule = <u32>rules;
    this.end = <u32>rules + count * RULE_ENTRY_LEN;
    this.words = <u32>words;
    this.unit = unit;
  }
}

export const SPAN_LEN: u32 = 16;

/** The next rule of some spans; 0 behind the last. */
@unmanaged
@final
export class Cursor {
  rule: u32;
  span: u32;

  @inline
  static at(address: usize): Cursor {
    return changetype<Cursor>(address);
  }

  start(spans: usize): Cursor {
    this.span = <u32>spans;
    this.rule = Span.at(spans).rule;
    this.settle();
    return this;
  }

  /** Past spans that have no more. */
  settle(): void {
    while (this.rule == Span.at(this.span).end && this.rule != 0) {
      this.span += SPAN_LEN;
      this.rule = Span.at(this.span).rule;
    }
  }

  @inline
  step(): void {
    this.rule += RULE_ENTRY_LEN;
    this.settle();
  }

  /** Where the rule's words are. */
  @inline
  get words(): usize {
    const span = Span.at(this.span);
    return span.words + (load<u32>(this.rule, RULE_WORDS) << span.unit);
  }

  /** Of the rule and its words. */
  @inline
  get octets(): u32 {
    return RULE_ENTRY_LEN + wordOctets(this.rule, this.words);
  }
}

export const CURSOR_LEN: u32 = 8;

/** Octets of everything from a cursor on; rules may share their words in entries, but not in chunks. */
export function restOctets(cursor: Cursor): u64 {
  let octets: u64 = 0;
  for (; cursor.rule != 0; cursor.step()) octets += cursor.octets;
  return octets;
}

/** Moves on over the rules of one chunk, of about `target` octets; how many octets they are. */
export function cut(cursor: Cursor, target: u32): u32 {
  let octets: u32 = 0;
  for (; cursor.rule != 0 && octets < target; cursor.step()) {
    const next = cursor.octets;
    if (octets != 0 && octets + next > CHUNK_MAX) break;
    octets += next;
  }
  return octets;
}

/** Counts what a chunk of so many octets takes. */
export function needChunk(needs: Needs, octets: u32): void {
  if (octets > CELL_MAX) needs.block(octets);
  else needs.cell(octets);
}

/** Makes a chunk of the next rules, so many octets of them, and its piece; false, and nothing changed, without room. */
export function fillChunk(image: Image, piece: usize, cursor: Cursor, octets: u32): bool {
  const at = octets > CELL_MAX ? takeBlock(image, octets, PART_RULES) : takeCell(image, octets, PART_RULES);
  if (at == 0) return false;
  const chunk = image.to(at);
  let rule = chunk;
  // Words from the end backwards: how many rules there are is known when both meet.
  let words = octets;
  for (; rule - chunk < words; rule += RULE_ENTRY_LEN) {
    const length = wordOctets(cursor.rule, cursor.words);
    words -= length;
    memory.copy(chunk + words, cursor.words, length);
    memory.copy(rule, cursor.rule, RULE_ENTRY_LEN);
    store<u32>(rule, words, RULE_WORDS);
    cursor.step();
  }
  store<u32>(piece, at, PIECE_AT);
  store<u32>(piece, <u32>(rule - chunk) / RULE_ENTRY_LEN, PIECE_COUNT);
  store<u32>(piece, octets, PIECE_OCTETS);
  return true;
}

export function giveChunk(image: Image, piece: usize): void {
  const octets = load<u32>(piece, PIECE_OCTETS);
  if (octets > CELL_MAX) giveBlock(image, load<u32>(piece, PIECE_AT), octets, PART_RULES);
  else giveCell(image, load<u32>(piece, PIECE_AT), octets, PART_RULES);
}
