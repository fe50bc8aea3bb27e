import { instantiate } from "@assemblyscript/loader";
import { IMAGE_VERSION } from "../../assembly/abi/image.js";
import type { SharedPages } from "./memory.js";
import type { MachineModule } from "./wasm.js";

/** What the machine exports (assembly/index.ts); addresses, counts and codes are unsigned 32-bit numbers. */
export interface Machine extends Record<string, unknown> {
  imageVersion(): number;
  imageCreate(image: number, capacity: number): number;
  imageResize(image: number, capacity: number): number;
  imageTop(image: number): number;
  imageOctets(image: number, part: number): number;
  imageSequence(image: number): number;
  imagePause(image: number, states: number, count: number): void;
  stateRest(state: number): void;
  imageRetire(image: number): void;
  imageResume(image: number): void;
  imageFlags(image: number, flags: number): void;
  settingSet(image: number, code: number, value: number): number;
  imageServers(image: number): number;
  imageDestinations(image: number): number;
  imageCaches(image: number): number;
  /** Without `windows` a state does not follow those of TCP. */
  stateLength(
    connections: number,
    servers: number,
    windows?: number,
    clients?: number,
    sessions?: number,
    destinations?: number,
    caches?: number,
    cells?: number,
  ): number;
  stateCreate(
    state: number,
    connections: number,
    servers: number,
    seedLow: number,
    seedHigh: number,
    windows?: number,
    cells?: number,
  ): number;
  stateCells(state: number): number;
  stateReach(
    state: number,
    servers: number,
    clients?: number,
    sessions?: number,
    destinations?: number,
    caches?: number,
  ): number;
  stateClients(state: number): number;
  stateConnections(state: number): number;
  stateServers(state: number): number;
  stateSessions(state: number): number;
  stateDestinations(state: number): number;
  stateCaches(state: number): number;
  stateWindows(state: number): number;
  stateSeed(state: number, low: number, high: number): void;
  tunnelSet(image: number, kind: number, port: number, vni: number, inNumber: number): number;
  nextHopSet(image: number, number: number, entry: number): number;
  nextHopsSet(image: number, entries: number, count: number): number;
  routesInsert(image: number, rows: number, count: number): number;
  routeInsert(image: number, prefix: number, length: number, nextHop: number): number;
  routeRemove(image: number, prefix: number, length: number): number;
  routeLookup(image: number, destination: number): number;
  routeLookupLength(image: number, destination: number): number;
  routeLookupMany(image: number, keys: number, count: number, results: number): number;
  routes6Insert(image: number, rows: number, count: number): number;
  routes6Remove(image: number, rows: number, count: number): number;
  route6Lookup(image: number, key: number): number;
  route6LookupLength(image: number, key: number): number;
  route6LookupMany(image: number, keys: number, count: number, results: number): number;
  exactInsert(image: number, table: number, rows: number, count: number): number;
  exactDelete(image: number, table: number, low: number, protoPort: number): number;
  exactFindMany(image: number, table: number, keys: number, count: number, results: number): void;
  exact6Insert(image: number, table: number, rows: number, count: number): number;
  exact6Delete(image: number, table: number, row: number): number;
  exact6FindMany(image: number, table: number, rows: number, count: number, results: number): void;
  /** Without `size` as many slots as the scheduler usually has. */
  serverSet(image: number, row: number, reals: number, size?: number): number;
  serverEdit(image: number, row: number): number;
  serverSettle(image: number, state: number, number: number): void;
  serversSet(image: number, rows: number, count: number, reals: number): number;
  chainSet(
    image: number,
    chain: number,
    rules: number,
    count: number,
    words: number,
    wordCount: number,
  ): number;
  chainsSet(image: number, rows: number, count: number, rules: number, words: number): number;
  chainSplice(
    image: number,
    chain: number,
    at: number,
    removed: number,
    rules: number,
    count: number,
    words: number,
    wordCount: number,
  ): number;
  hookAppend(image: number, hook: number, chain: number, type: number, policy: number): number;
  hooksClear(image: number): void;
  flowsClear(state: number): void;
  flowsExpire(state: number, now: number, records: number): number;
  flowsCount(state: number): number;
  flowsRead(state: number, now: number, from: number, count: number, rows: number): number;
  flowFindMany(state: number, tuples: number, count: number, results: number): void;
  flowClose(state: number, record: number): void;
  flow6Open(state: number, tuples: number, now: number, expires: number): number;
  flow6FindMany(state: number, tuples: number, count: number, words: number, results: number): void;
  sessionsExpire(image: number, state: number, now: number): void;
  sessionsClear(image: number, state: number): void;
  sessionsRestore(image: number, state: number, original: number): void;
  stateRenew(state: number, original: number): void;
  sessionsCount(state: number): number;
  sessionsRead(state: number, from: number, count: number, rows: number): number;
  serviceDestinationsRead(
    image: number,
    state: number,
    service: number,
    from: number,
    count: number,
    rows: number,
  ): number;
  destinationsRead(image: number, state: number, from: number, count: number, rows: number): number;
  serviceStatistics(state: number, number: number, row: number): void;
  totalStatistics(state: number, row: number): void;
  batchLength(capacity: number, stride: number, traces: number): number;
  batchCreate(batch: number, capacity: number, stride: number, traces: number): void;
  balance(image: number, state: number, number: number, batch: number, count: number): number;
  decapsulate(image: number, state: number, batch: number, count: number): number;
  direct(image: number, state: number, batch: number, count: number, now: number): number;
  translate(image: number, state: number, batch: number, count: number, now: number): number;
  answer(image: number, state: number, batch: number, index: number): number;
  run(image: number, state: number, batch: number, count: number, now: number): number;
  runFrom(image: number, state: number, batch: number, first: number, count: number, now: number): number;
}

/** Links a build to a memory; refuses one whose layouts are not those this package was compiled with. */
export async function link(module: MachineModule, memory: SharedPages): Promise<Machine> {
  const { exports } = await instantiate<Machine>(module as WebAssembly.Module, {
    env: { memory: memory as WebAssembly.Memory },
  });
  const version = exports.imageVersion();
  if (version !== IMAGE_VERSION) {
    throw new Error(
      `The WebAssembly machine has image version ${version}, this package expects ${IMAGE_VERSION}: ` +
        `run "npm run build" to build both from one source.`,
    );
  }
  return exports;
}
