import {
  TARGET_ACCEPT,
  TARGET_CONNMARK,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NAT,
  TARGET_NETMAP,
  TARGET_NONE,
  TARGET_NOTRACK,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_UNDECIDED,
} from "../../../assembly/abi/entry.js";
import {
  CONNMARK_RESTORE,
  CONNMARK_SAVE,
  CONNMARK_SET,
  NAT_ADDRESSES,
  NAT_OFFSET,
  NAT_PORTS,
  NAT_RANDOM,
  NAT_SRC,
} from "../../../assembly/abi/rule.js";
import * as verdict from "../../../assembly/abi/verdict.js";
import { familyOf, type Ip } from "../../net/ip.js";
import { maskOf } from "../../net/prefix.js";
import type { NatRange, Range, RejectKind, Target } from "../../ruleset/iptables.js";
import type { RuleDraft } from "./rules.js";
import type { Scope } from "./scope.js";
import { wordsOf6 } from "./words.js";

/** DROP_ reasons; port unreachable is what REJECT says of itself. */
const REJECT_REASONS: Readonly<Record<RejectKind, number>> = {
  "icmp-net-unreachable": verdict.DROP_NET_UNREACHABLE,
  "icmp-host-unreachable": verdict.DROP_HOST_UNREACHABLE,
  "icmp-proto-unreachable": verdict.DROP_PROTOCOL_UNREACHABLE,
  "icmp-port-unreachable": verdict.DROP_NONE,
  "icmp-net-prohibited": verdict.DROP_NET_PROHIBITED,
  "icmp-host-prohibited": verdict.DROP_HOST_PROHIBITED,
  "icmp-admin-prohibited": verdict.DROP_ADMIN_PROHIBITED,
  "icmp6-no-route": verdict.DROP_NET_UNREACHABLE,
  "icmp6-adm-prohibited": verdict.DROP_ADMIN_PROHIBITED,
  "icmp6-addr-unreachable": verdict.DROP_HOST_UNREACHABLE,
  "icmp6-port-unreachable": verdict.DROP_NONE,
  "icmp6-policy-fail": verdict.DROP_POLICY_FAIL,
  "icmp6-reject-route": verdict.DROP_REJECT_ROUTE,
  "tcp-reset": verdict.DROP_TCP_RESET,
};

const VERDICTS = { accept: TARGET_ACCEPT, drop: TARGET_DROP, return: TARGET_RETURN } as const;

/** A target of which is known what it does. Its words are as abi/entry.ts says. */
export function addTarget(draft: RuleDraft, target: Target, scope: Scope): RuleDraft {
  switch (target.kind) {
    case "accept":
    case "drop":
    case "return":
      return draft.target(VERDICTS[target.kind]);
    case "jump":
      return draft.target(TARGET_JUMP, scope.chainNumber(target.chain));
    case "goto":
      return draft.target(TARGET_GOTO, scope.chainNumber(target.chain));
    case "reject":
      return draft.target(TARGET_REJECT, REJECT_REASONS[target.with]);
    case "dnat":
      return draft.dnat(target.address, target.port);
    case "masquerade":
      return draft.target(
        TARGET_MASQUERADE,
        Number(target.randomFully || target.random),
        portWord(target.ports),
      );
    case "translate":
      return draft.target(TARGET_NAT, ...natWords(target.side === "src", target.range));
    case "redirect":
      return draft.target(TARGET_REDIRECT, ...redirectWords(target.range, scope));
    case "netmap": {
      const { address, length } = target.prefix;
      return draft.target(TARGET_NETMAP, ...wordsOf(address), ...maskWords(address, length));
    }
    case "mark":
      return draft.target(TARGET_MARK, target.value, target.mask);
    case "connmark":
      return draft.target(TARGET_CONNMARK, CONNMARK_SET, target.value, target.mask);
    case "connmark-save":
      return draft.target(TARGET_CONNMARK, CONNMARK_SAVE, target.nfmask, target.ctmask);
    case "connmark-restore":
      return draft.target(TARGET_CONNMARK, CONNMARK_RESTORE, target.nfmask, target.ctmask);
    case "notrack":
      return draft.target(TARGET_NOTRACK);
    // A helper reads what connections say, which is not modelled; their packets go on.
    case "ct":
    case "watch":
      return draft.target(TARGET_NONE);
    default:
      return draft.target(TARGET_UNDECIDED);
  }
}

/** An address of either family: of IPv4 the last word. */
function wordsOf(address: Ip): readonly number[] {
  return wordsOf6(BigInt(address));
}

function maskWords(address: Ip, length: number): readonly number[] {
  if (familyOf(address) === 4) return [0, 0, 0, maskOf(length)];
  return [0, 32, 64, 96].map((before) => maskOf(Math.min(32, Math.max(0, length - before))));
}

/** first | last << 16; 0 for no ports. */
function portWord(ports: Range | undefined): number {
  return ports === undefined ? 0 : (ports[0] | (ports[1] << 16)) >>> 0;
}

function natFlags({ addresses, ports, basePort, random, randomFully }: NatRange): number {
  return (
    (addresses === undefined ? 0 : NAT_ADDRESSES) |
    (ports === undefined ? 0 : NAT_PORTS) |
    (basePort === undefined ? 0 : NAT_OFFSET) |
    (random || randomFully ? NAT_RANDOM : 0)
  );
}

function natWords(isSrc: boolean, range: NatRange): readonly number[] {
  const [first, last] = range.addresses ?? [0, 0];
  const flags = natFlags(range) | (isSrc ? NAT_SRC : 0);
  return [flags, ...wordsOf(first), ...wordsOf(last), portWord(range.ports), range.basePort ?? 0];
}

/** The first address of each interface that has one of the table's family, as the kernel takes it. */
function redirectWords(range: NatRange, { interfaces, family }: Scope): readonly number[] {
  const rows = interfaces.flatMap(({ addresses }, index) => {
    const address = addresses.find((one) => familyOf(one.address) === family)?.address;
    return address === undefined ? [] : [[index + 1, ...wordsOf(address)]];
  });
  return [natFlags(range), portWord(range.ports), rows.length, ...rows.flat()];
}
