/** What a comparison was measured on. `name` is text from outside: print it only escaped. */
export interface ComparisonInput {
  readonly kind: "synthetic" | "cluster";
  readonly name: string;
}

/** The machine and the versions a comparison was measured with. */
export interface ComparisonMachine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes?: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  /** Version of packetyard. */
  readonly packetyard: string;
}

/** Nanoseconds per packet, over batches (a batch's time divided by its packets). */
export interface Cost {
  readonly p50: number;
  readonly p99: number;
  /** Lowest and highest median over the rounds, ns per packet. */
  readonly spread?: readonly [number, number];
}

/** One mode at one size. All times in ns per packet, but for `compileMs`. */
export interface ComparisonRow {
  /** `iptables`, `ipvs`, `nftables`, or the name of a mode yet to come. */
  readonly mode: string;
  readonly services: number;
  /** All Services of the input, also those without a ClusterIP (IPv4), which are not in `services`. */
  readonly servicesGiven?: number;
  /** Endpoints of all Services together. */
  readonly endpoints: number;
  /** Every packet opens a flow; destinations are uniform over all Services. */
  readonly newConnection: Cost;
  /** As `newConnection`, with every packet to the first Service. */
  readonly newConnectionFirst?: Cost;
  /** As `newConnection`, with every packet to the last Service. */
  readonly newConnectionLast?: Cost;
  /** Packets of flows that the connection table knows. */
  readonly established: Cost;
  /** Millions of established packets per second. */
  readonly mpps: number;
  /** Rules or probes walked per packet of a new connection, on average. */
  readonly walked: number;
  readonly walkedEstablished?: number;
  readonly tableBytes: number;
  readonly compileMs: number;
  /** How often every mode had its turn. */
  readonly rounds?: number;
  /** The input of this row; the comparison's own where it is absent. `packetyard compare` always tells it. */
  readonly input?: ComparisonInput;
}

/** One way of choosing an endpoint, at one number of them. */
export interface SchedulerRow {
  /** `ipvs` with each of its schedulers, and the modes that have none. */
  readonly mode: string;
  /** null but in mode ipvs. */
  readonly scheduler: string | null;
  /** Endpoints of the one Service that every packet is to. */
  readonly destinations: number;
  /** Every packet opens a connection. */
  readonly newConnection: Cost;
  /** Rules or probes walked per packet, on average; what a scheduler looks at is not among them. */
  readonly walked: number;
  /** How often every one had its turn. */
  readonly rounds: number;
}

/** The result of `packetyard compare`, stable: fields are added to it, never renamed. */
export interface Comparison {
  readonly apiVersion: "packetyard/v1";
  readonly kind: "Comparison";
  readonly machine: ComparisonMachine;
  readonly seed: number;
  /** ISO 8601, if the caller wants the day told. */
  readonly measuredAt?: string;
  readonly input: ComparisonInput;
  /** In the order they were measured. */
  readonly rows: readonly ComparisonRow[];
  /** What each of IPVS' schedulers costs, beside the other modes; absent or empty where that was not measured. */
  readonly schedulers?: readonly SchedulerRow[];
}

/** The rows of one input, in the order they were measured. */
export interface ComparisonGroup {
  readonly input: ComparisonInput;
  readonly rows: readonly ComparisonRow[];
}

/** A comparison's rows by input, inputs in order of first appearance. */
export function groupRows(comparison: Comparison): readonly ComparisonGroup[] {
  const groups = new Map<string, { input: ComparisonInput; rows: ComparisonRow[] }>();
  for (const row of comparison.rows) {
    const input = row.input ?? comparison.input;
    const key = JSON.stringify([input.kind, input.name]);
    const group = groups.get(key) ?? { input, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  return [...groups.values()];
}
