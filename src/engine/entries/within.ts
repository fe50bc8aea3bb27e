import { MATCH_CTSTATE, MATCH_WITHIN } from "../../../assembly/abi/entry.js";
import type { RuleDraft } from "./rules.js";

/** Every value that a field may have. */
const GREATEST = 0xffffffff;

/** A match that no packet hits: none has none of the states. */
export function never(draft: RuleDraft): RuleDraft {
  return draft.match(MATCH_CTSTATE, false, 0);
}

/** A field between two bounds; where the greater stands first there is nothing between them, and all that has the field is beyond. */
export function addWithin(
  draft: RuleDraft,
  field: number,
  from: number,
  to: number,
  invert: boolean,
): RuleDraft {
  if (from > to) return draft.match(MATCH_WITHIN, !invert, field, 0, GREATEST);
  return draft.match(MATCH_WITHIN, invert, field, from, to);
}
