/** packetyard's public API, and only it. */
import "./abi.js";

export { Cluster } from "./cluster.js";
export { type CompileOptions, compile } from "./compile.js";
export { type Diagnostic, InputError, type Place, printDiagnostic } from "./diagnostics.js";
export { Batch, type BatchOptions } from "./engine/batch.js";
export {
  Engine,
  type EngineOptions,
  type PacketOptions,
  type TableOctets,
  type Trace,
} from "./engine/engine.js";
export type { ClusterOptions } from "./model/cluster.js";
export type { SyntheticOptions } from "./model/synthetic.js";
export { frame, icmpEcho, tcp, udp } from "./packet/build.js";
export { printPacket } from "./packet/print.js";
export type { ProxyMode, Ruleset } from "./ruleset/ruleset.js";
export { printRuleset } from "./ruleset/ruleset.js";
export type { DropReason, VerdictName } from "./trace/codes.js";
export type { Step } from "./trace/steps.js";
