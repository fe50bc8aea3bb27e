/** packetyard's public API, and only it. */
import "./abi.js";

export { type AssessmentResult, type AssessOptions, assess } from "./assess/assess.js";
export type { IpvsListing } from "./assess/listing.js";
export { TARGET_MODES, type TargetMode } from "./assess/words.js";
export { Cluster } from "./cluster.js";
export { Compilation } from "./compilation.js";
export { type CompileOptions, compile } from "./compile.js";
export { parseProxyConfig } from "./config/parse.js";
export type { ProxyConfig } from "./config/proxy-config.js";
export { type Diagnostic, InputError, type Place, printDiagnostic } from "./diagnostics.js";
export { type DiffOptions, diffNodes } from "./diff/diff.js";
export {
  type DifferenceGroup,
  DifferenceGroups,
  type Example,
  type FlowDifference,
  groupDifferences,
} from "./diff/difference.js";
export type { Side } from "./diff/side.js";
export { TOPICS, type Topic } from "./diff/topic.js";
export { Director, type DirectorOptions, type NewService } from "./director.js";
export { Batch, type BatchOptions, DATAGRAM_LENGTH } from "./engine/batch.js";
export { Engine } from "./engine/engine.js";
export { ruleDoubt } from "./engine/entries/iptables.js";
export type { IpvsCounters, IpvsDestination } from "./engine/ipvs-counters.js";
export type { IpvsConnection, IpvsEnd } from "./engine/ipvs-sessions.js";
export {
  listServers,
  printServers,
  type RealServerState,
  serverCounters,
  type VirtualServerState,
} from "./engine/listed-servers.js";
export type {
  Answer,
  EngineOptions,
  ExploreOptions,
  FollowOptions,
  PacketOptions,
  TableOctets,
  Trace,
} from "./engine/options.js";
export type { EngineWorker, Workers } from "./engine/workers.js";
export type { Destination, Fate } from "./explore/fate.js";
export { type Fraction, fractionToNumber, printFraction } from "./explore/fraction.js";
export { likeliest, type Outcome } from "./explore/outcome.js";
export {
  type RuledOutcome,
  type RuleVerdict,
  type Ruling,
  rulingOf,
  type UndecidedRule,
  undecidedRule,
} from "./explore/ruling.js";
export { refusingRule, type WalkedRule, walkedRules } from "./explore/walked.js";
export type { ClusterChange } from "./model/change.js";
export type { ClusterOptions } from "./model/cluster.js";
export type { SyntheticOptions } from "./model/synthetic.js";
export { type Ip, parseIp, printIp } from "./net/ip.js";
export { type Prefix, parsePrefix, printPrefix } from "./net/prefix.js";
export { arp, frame, icmpEcho, sctp, tcp, udp } from "./packet/build.js";
export { isFragment } from "./packet/fragment.js";
export { printPacket } from "./packet/print.js";
export { readdress } from "./packet/readdress.js";
export { type HealthCheck, healthChecks } from "./proxy/health-check.js";
export { KUBERNETES_VERSIONS, type KubernetesVersion } from "./proxy/kubernetes-version.js";
export type { TrackedConnection } from "./proxy/stale-connections.js";
export type { RulesetChange, RulesetStep } from "./ruleset/change.js";
export { type Connection, type ConnectionTuple, printConnection } from "./ruleset/connections.js";
export type { Iptables, Rule as IptablesRule } from "./ruleset/iptables.js";
export { type IptablesDump, parseIptablesDump } from "./ruleset/iptables-dump.js";
export { type UnknownPart, unknownParts } from "./ruleset/iptables-lines.js";
export { parseIptables, printIptables } from "./ruleset/iptables-text.js";
export {
  type Ipvs,
  type IpvsTimeouts,
  type RealServer,
  SCHEDULERS,
  type Scheduler,
  type SchedulerFlag,
  type ServiceMatch,
  type ServiceSettings,
  type Tunnel,
  type VirtualServer,
} from "./ruleset/ipvs.js";
export { listedConnection, printIpvsConnections } from "./ruleset/ipvs-connections.js";
export type {
  IpvsColumns,
  IpvsListingOptions,
  IpvsStatistics,
  RealServerCounters,
} from "./ruleset/ipvs-listing.js";
export { parseIpvs, printIpvs } from "./ruleset/ipvs-save.js";
export { type DumpOptions, type DumpText, type NodeDump, rulesetFromDump } from "./ruleset/node-dump.js";
export { routable, unnamedInterface } from "./ruleset/routable.js";
export {
  type ProxyMode,
  printRuleset,
  RULESET_FORMATS,
  type Ruleset,
  type RulesetFormat,
} from "./ruleset/ruleset.js";
export type { CountersOf, ServerCounters } from "./ruleset/server-counters.js";
export type { DropReason, VerdictName } from "./trace/codes.js";
export type { Step } from "./trace/steps.js";
