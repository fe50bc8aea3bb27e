import {
  CTSTATE_INVALID,
  HOOK_FORWARD,
  HOOK_IP6,
  MATCH_CTSTATE,
  TARGET_DROP,
} from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import type { BareOptions } from "../bare-image.js";
import { BareNode } from "../bare-node.js";

/** A router that drops what conntrack calls INVALID. */
export async function routerOf(options: BareOptions = {}): Promise<BareNode> {
  const invalid = new RuleDraft().match(MATCH_CTSTATE, false, CTSTATE_INVALID).target(TARGET_DROP);
  return (await BareNode.make(options))
    .route("0.0.0.0/0", { kind: "direct", out: 2 })
    .route("::/0", { kind: "direct", out: 2 })
    .chain(0, invalid)
    .hook(HOOK_FORWARD, 0)
    .hook(HOOK_IP6 + HOOK_FORWARD, 0);
}
