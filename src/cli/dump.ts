import { basename } from "node:path";
import type { Command } from "commander";
import {
  type Diagnostic,
  type DumpText,
  Engine,
  type EngineOptions,
  InputError,
  type Ip,
  type IptablesRule,
  type Ruleset,
  ruleDoubt,
  rulesetFromDump,
} from "../index.js";
import { UsageError } from "./errors.js";
import { checkStdin, readText } from "./input.js";
import type { ClusterOptions } from "./options.js";
import type { ProxyArguments } from "./proxy-options.js";

/** A node known by what its tools printed, instead of a cluster. */
export interface DumpOptions {
  readonly iptablesSave?: string;
  readonly ip6tablesSave?: string;
  readonly ipsetSave?: string;
  readonly ipvsadmSave?: string;
  readonly ipAddr?: string;
  readonly ipRoute?: readonly string[];
  readonly ipNeigh?: string;
  readonly bridgeFdb?: string;
  readonly node?: string;
  readonly in?: string;
  readonly localAddress?: readonly Ip[];
}

/** The node that dumps tell of. */
export interface DumpedNode {
  readonly ruleset: Ruleset;
  /** The files of the tables of each family, where it has any. */
  readonly tables: Readonly<Partial<Record<4 | 6, DumpText>>>;
}

const collect = (path: string, paths: readonly string[] = []) => [...paths, path];

/** What a dump stands for: a cluster that -f would have named, or B of a comparison. */
const ROLES = {
  "instead of -f": "; alone, instead of -f: an IPVS director, without any rules",
  "as B": "",
} as const;

/** What a command asks of a node that is known by its dumps; `--node`, `--in` and `--local-address` are the command's own. */
export function addDumpOptions(command: Command, role: keyof typeof ROLES = "instead of -f"): Command {
  return command
    .option("--iptables-save <file>", `${role}: a node's rules, as iptables-save prints them; - for stdin`)
    .option("--ip6tables-save <file>", "and as ip6tables-save does, where the other file does not hold both")
    .option("--ipset-save <file>", "sets that the rules ask (ipset save)")
    .option("--ipvsadm-save <file>", `virtual servers (ipvsadm-save -n)${ROLES[role]}`)
    .option("--ip-addr <file>", "interfaces and addresses (ip -d addr); without it they are guessed")
    .option(
      "--ip-route <file>",
      "routes (ip route; again for ip -6 route); without it they are guessed",
      collect,
    )
    .option("--ip-neigh <file>", "neighbours (ip neigh); without it every address answers")
    .option("--bridge-fdb <file>", "tunnel ends (bridge fdb)");
}

/** What says how a cluster is compiled: a node that is known by its dumps (`by` an option) is as it is. */
function refuseCompiling(options: ClusterOptions & ProxyArguments, by: string): void {
  if (options.filename.length > 0) {
    const what = by === "--iptables-save" ? "a node's rules" : "a director's virtual servers";
    throw new UsageError(`-f and ${by} both say what to run: give a cluster or ${what}.`);
  }
  const compiling = {
    "--mode": options.mode,
    "--proxy-config": options.proxyConfig,
    "--ipvs-scheduler": options.ipvsScheduler,
    "--kubernetes-version": options.kubernetesVersion,
    "--nfacct": options.nfacct,
    "--service-cidr": options.serviceCidr,
    "--nodes": options.nodes,
  };
  const [given] = Object.entries(compiling).find(([, value]) => value !== undefined) ?? [];
  if (given === undefined) return;
  throw new UsageError(
    `${given} says how a cluster is compiled, and ${by} gives a node as it is: leave one of them out.`,
  );
}

function partsOf(options: DumpOptions) {
  return {
    "--ip6tables-save": options.ip6tablesSave,
    "--ipset-save": options.ipsetSave,
    "--ipvsadm-save": options.ipvsadmSave,
    "--ip-addr": options.ipAddr,
    "--ip-route": options.ipRoute,
    "--ip-neigh": options.ipNeigh,
    "--bridge-fdb": options.bridgeFdb,
  };
}

/** Files that the command line names for a dump, by their options. */
export function dumpFiles(
  options: DumpOptions,
): Readonly<Record<string, string | readonly string[] | undefined>> {
  return { "--iptables-save": options.iptablesSave, ...partsOf(options) };
}

/**
 * Whether the command line names a node by its dumps. UsageError for parts of a dump without its rules, for what is
 * said of a cluster beside it, and for several that ask for stdin.
 */
export function namesDump(options: DumpOptions & ClusterOptions & ProxyArguments): boolean {
  const { iptablesSave, ipvsadmSave } = options;
  const isNamed = iptablesSave !== undefined || ipvsadmSave !== undefined;
  if (isNamed) refuseCompiling(options, iptablesSave === undefined ? "--ipvsadm-save" : "--iptables-save");
  const parts = partsOf(options);
  const [part] = Object.entries(parts).find(([, given]) => given !== undefined) ?? [];
  if (!isNamed && part !== undefined) {
    throw new UsageError(`${part} tells more of a node that --iptables-save tells of: give that too.`);
  }
  checkStdin(dumpFiles(options));
  return isNamed;
}

function textOf(path: string | undefined): DumpText | undefined {
  return path === undefined ? undefined : readText(path);
}

/** Rules of which it is not always known whether they hit, or what they do then: notes, as they may never be met. */
function doubts({ ruleset, tables }: DumpedNode): readonly Diagnostic[] {
  const { iptables, ip6tables } = ruleset;
  return [iptables, ip6tables].flatMap((one) => {
    const file = tables[one?.family ?? 4]?.file ?? "";
    const rules = one?.tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules)) ?? [];
    return rules.flatMap((rule): readonly Diagnostic[] => {
      const reason = isWorthNoting(rule) ? ruleDoubt(rule) : undefined;
      if (reason === undefined) return [];
      const message = `a packet that meets this rule may be undecided: ${reason}.`;
      return [{ severity: "note", place: { file, field: `line ${rule.line}` }, message }];
    });
  });
}

/** False for a rule with an unknown part, of which it is warned, and for one whose hits change nothing. */
function isWorthNoting({ matches, target }: IptablesRule): boolean {
  if (target === undefined || target.kind === "watch") return false;
  return target.kind !== "unknown" && matches.every(({ kind }) => kind !== "unknown");
}

/** Reads the dumps that the options name. InputError as rulesetFromDump has it. */
export function loadDump(options: DumpOptions): DumpedNode {
  const tables = textOf(options.iptablesSave);
  const ip6tables = textOf(options.ip6tablesSave);
  const ipvs = textOf(options.ipvsadmSave);
  const parts = {
    "iptables-save": tables,
    "ip6tables-save": ip6tables,
    "ipset-save": textOf(options.ipsetSave),
    "ipvsadm-save": ipvs,
    "ip-addr": textOf(options.ipAddr),
    "ip-route": options.ipRoute?.map(readText),
    "ip-neigh": textOf(options.ipNeigh),
    "bridge-fdb": textOf(options.bridgeFdb),
  };
  const { localAddress, in: name } = options;
  const node = options.node ?? basename((tables ?? ipvs)?.file ?? "");
  const ruleset = rulesetFromDump(withoutAbsent(parts), {
    ...withoutAbsent({ node, localAddresses: localAddress }),
    // Where the interfaces are known, the user's must be one of them.
    ...(name === undefined || options.ipAddr !== undefined ? {} : { interfaces: [name] }),
  });
  const dumped = { ruleset, tables: withoutAbsent({ 4: tables, 6: ip6tables ?? tables }) };
  return { ...dumped, ruleset: { ...ruleset, diagnostics: [...ruleset.diagnostics, ...doubts(dumped)] } };
}

export type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that there are. */
export function withoutAbsent<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** An engine of the node; InputError where a dump's rules do not fit together: no kernel held them. */
export async function loadEngine({ ruleset, tables }: DumpedNode, options: EngineOptions): Promise<Engine> {
  try {
    return await Engine.load(ruleset, options);
  } catch (error) {
    const file = tables[4]?.file;
    if (file === undefined || !(error instanceof TypeError)) throw error;
    throw new InputError([{ severity: "error", place: { file }, message: error.message }]);
  }
}

/** A rule of a dump, and where it stands. */
export interface DumpedRule {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** The rule on a line of a family's tables; none for no line. */
export function ruleAtLine(
  { tables }: DumpedNode,
  family: 4 | 6,
  line: number | undefined,
): DumpedRule | undefined {
  const table = tables[family];
  if (table === undefined || line === undefined) return undefined;
  return { file: table.file, line, rule: table.text.split("\n")[line - 1]?.trim() ?? "" };
}
