import fc from "fast-check";
import {
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  BATCH_TRACE_COUNT,
  ENCAP_HEADROOM,
  SLOT_HEADROOM,
  SLOT_STRIDE,
} from "../assembly/abi/packet.js";
import type { Batch } from "../src/engine/batch.js";
import type { Engine } from "../src/engine/engine.js";
import { frame as build, icmpEcho, sctp, tcp, udp } from "../src/packet/build.js";
import type { AddressedServer } from "../src/ruleset/ipvs.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { ip6 } from "./bare-node.js";
import { clusterOf } from "./proxy/cluster-of.js";

/** Services of every kind that the machine tells apart. */
export const CLUSTER = clusterOf()
  .service("shop/web", {
    clusterIPs: "10.96.0.41",
    ports: "http:80>30080 dns:53/UDP>30053",
    type: "NodePort",
  })
  .slice("shop/web", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2")
  .slice("shop/web", "dns:5353/UDP", "10.244.1.9@worker-1", "10.244.2.9@worker-2")
  .service("shop/lb", {
    clusterIPs: "10.96.0.42",
    ports: "http:80",
    ingress: "192.0.2.7",
    type: "LoadBalancer",
  })
  .build();

const prefix6 = (address: string, length: number) => ({ address: ip6(address), length });

/** The same node with IPv6 beside: subnets, a default route, pods behind the tunnel, and a virtual server where it has some. */
export function withIp6(ruleset: Ruleset): Ruleset {
  const ends: Readonly<Record<string, string>> = { cni0: "fd00:244:1::1", eth0: "fd00:18::2" };
  const mac = ruleset.neighbours.find(({ dev }) => dev === "flannel.1")?.mac ?? 0;
  const servers = ["fd00:244:1::9", "fd00:244:2::9"].map((address) => ({
    address: ip6(address),
    port: 8080,
    weight: 1,
  }));
  const added = ruleset.ipvs?.servers
    .filter(({ port, protocol }) => port === 80 && protocol === "TCP")
    .slice(0, 1)
    .map((server) => ({ ...(server as AddressedServer), address: ip6("fd00:18::2"), servers }));
  return {
    ...ruleset,
    interfaces: ruleset.interfaces.map((device) => {
      const end = ends[device.name];
      return end === undefined ? device : { ...device, addresses: [...device.addresses, prefix6(end, 64)] };
    }),
    routes: [
      ...ruleset.routes,
      { prefix: prefix6("fd00:244:1::", 64), dev: "cni0" },
      { prefix: prefix6("fd00:18::", 64), dev: "eth0" },
      { prefix: prefix6("fd00:244:2::", 64), dev: "flannel.1", via: ip6("fd00:244:2::"), onlink: true },
      { prefix: prefix6("::", 0), dev: "eth0", via: ip6("fd00:18::1") },
    ],
    neighbours: [
      ...ruleset.neighbours,
      { address: ip6("fd00:244:2::"), dev: "flannel.1", mac },
      { address: ip6("fd00:18::1"), dev: "eth0", mac: 7 },
    ],
    ...(ruleset.ipvs === undefined ? {} : { ipvs: { servers: [...ruleset.ipvs.servers, ...(added ?? [])] } }),
  };
}

function tunnelled(inner: Uint8Array): Uint8Array {
  return build()
    .eth({})
    .ip4({ src: "172.18.0.3", dst: "172.18.0.2" })
    .udp({ srcPort: 40000, dstPort: 8472 })
    .vxlan({ vni: 1 })
    .payload(inner)
    .bytes();
}

export const PLAIN = [
  tcp("10.244.1.9:40000", "10.96.0.41:80", { payload: 40 }),
  tcp("10.244.2.9:40000", "10.96.0.41:80", { flags: "A", payload: 7 }),
  udp("10.244.1.9:40000", "10.96.0.41:53", { payload: 3 }),
  tcp("198.51.100.7:40000", "172.18.0.2:30080"),
  tcp("198.51.100.7:40000", "192.0.2.7:80"),
  tcp("172.18.0.2:40000", "10.244.2.9:8080"),
  icmpEcho("10.244.1.9", "10.244.2.9"),
  udp("10.244.1.9:4", "10.244.2.9:8080", { payload: 1400 }),
];
const extended = (...kinds: readonly number[]) =>
  kinds.reduce(
    (inner, kind) => inner.extension({ kind, options: Uint8Array.of(1, 4, 0, 0, 0, 0) }),
    build().eth().ip6({ src: "fd00:244:1::9", dst: "fd00:244:2::9" }),
  );
const PLAIN6 = [
  tcp("[fd00:244:1::9]:40000", "[fd00:244:2::9]:80", { payload: 40 }),
  tcp("[fd00:244:2::9]:40000", "[fd00:18::2]:80"),
  tcp("[2001:db8::7]:40000", "[fd00:18::2]:80", { flags: "A", payload: 7 }),
  udp("[fd00:244:1::9]:40000", "[2001:db8::7]:53", { payload: 3 }),
  sctp("[fd00:244:1::9]:40000", "[fd00:244:2::9]:80"),
  icmpEcho("fd00:244:1::9", "fd00:244:2::9"),
  extended(0).udp({ srcPort: 7, dstPort: 7 }).bytes(),
  extended(60, 43, 51).tcp({ srcPort: 7, dstPort: 7 }).bytes(),
  sctp("10.244.1.9:40000", "10.244.2.9:80"),
];
const FRAMES = [...PLAIN, ...PLAIN.map(tunnelled), ...PLAIN6, ...PLAIN6.map(tunnelled)];

/** A good frame with octets changed and cut anywhere, or noise; what is changed is mostly within the headers. */
const octets = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...FRAMES),
        fc.array(fc.tuple(fc.oneof(fc.nat(120), fc.nat(1500)), fc.nat(255)), { maxLength: 3 }),
        // Two of three are whole.
        fc.option(fc.option(fc.nat(120), { freq: 2 }), { freq: 3 }),
      )
      .map(([of, changes, cut]) => {
        const copy = of.slice(0, cut ?? of.length);
        for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
        return copy;
      }),
  },
);
/** Numbers that columns and words should not hold, among such as they do. */
export const number = fc.oneof(
  fc.nat(6),
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0x7fffffff, 0xffffffff),
);

/** Places and lengths about the slot's edges. */
const edge = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: SLOT_STRIDE - SLOT_HEADROOM - 60, max: SLOT_STRIDE + 3 }),
  number,
);

export interface Drawn {
  readonly octets: Uint8Array;
  /** Where the frame is in its slot; bad columns are put over those of the slot. */
  readonly headroom: number;
  readonly in: number;
  readonly bad?: { /** From the slot's start. */ readonly frame?: number; readonly length?: number };
}

export const drawn: fc.Arbitrary<Drawn> = fc.record(
  {
    octets,
    headroom: fc.oneof(
      { weight: 5, arbitrary: fc.constant(SLOT_HEADROOM) },
      { weight: 1, arbitrary: fc.nat(200) },
    ),
    in: fc.oneof({ weight: 5, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: number }),
    bad: fc.oneof(
      { weight: 5, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.record({ frame: edge, length: edge }, { requiredKeys: [] }) },
    ),
  },
  { requiredKeys: ["octets", "headroom", "in", "bad"] },
);

const SLOTS = 3;

/** A batch of three slots filled with 0xa5 in an engine's memory; the middle one gets the packet. */
export class Guarded {
  readonly batch: Batch;
  readonly slot: number;

  constructor(readonly engine: Engine) {
    engine.memory.take(4096);
    this.batch = engine.batch(SLOTS, { traces: 32 });
    engine.memory.take(4096);
    const view = new DataView(this.batch.octets.buffer, this.batch.octets.byteOffset);
    this.slot = view.getUint32(BATCH_SLOTS, true) + this.batch.stride;
  }

  get memory(): Buffer {
    const { buffer } = this.engine.memory.memory;
    return Buffer.from(buffer as unknown as ArrayBuffer);
  }

  place({ octets: frame, headroom, in: inNumber, bad }: Drawn): void {
    const { batch, slot } = this;
    batch.octets.fill(0xa5, slot - batch.stride, slot + 2 * batch.stride);
    batch.octets.set(frame, slot + headroom);
    batch.verdicts.fill(0xa5a5a5a5);
    batch.frames.set([0, slot + (bad?.frame ?? headroom), 0]);
    batch.lengths.set([0, bad?.length ?? frame.length, 0]);
    batch.ins.set([1, inNumber, 1]);
  }

  /** Whether the middle slot holds all of what its columns name. */
  get fits(): boolean {
    const [frame = 0, length = 0] = [this.batch.frames[1], this.batch.lengths[1]];
    return frame >= this.slot && frame + length <= this.slot + this.batch.stride;
  }

  /** Stretches of memory that a run may write: [from, to), ascending. */
  allowed({ octets: frame, headroom, bad }: Drawn): [number, number][] {
    const { batch, engine, slot } = this;
    const columns = batch.address + BATCH_HEADER_LEN;
    const own: [number, number] =
      bad?.frame === undefined && bad?.length === undefined
        ? [slot + headroom - ENCAP_HEADROOM, slot + headroom + frame.length]
        : [slot, slot + batch.stride];
    const { state } = engine;
    const changed: [number, number] = [
      state,
      state + new DataView(this.memory.buffer, this.memory.byteOffset + state).getUint32(8, true),
    ];
    return [
      changed,
      [batch.address + BATCH_TRACE_COUNT, columns],
      // All columns: neighbours' are checked one by one. Behind them scratch and trace records.
      [columns, batch.address + slot - batch.stride],
      [batch.address + own[0], batch.address + own[1]],
    ];
  }
}

/** Throws for the first octet outside of the allowed stretches that differs. */
export function expectSameOutside(
  before: Buffer,
  after: Buffer,
  allowed: readonly (readonly [number, number])[],
): void {
  let at = 0;
  for (const [from, to] of [...allowed, [before.length, before.length] as const]) {
    if (before.compare(after, at, from, at, from) !== 0) {
      const where = before.subarray(at, from).findIndex((octet, index) => octet !== after[at + index]);
      throw new Error(`octet ${at + where} was changed, outside of ${JSON.stringify(allowed)}`);
    }
    at = to;
  }
}
