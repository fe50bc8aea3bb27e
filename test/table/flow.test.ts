import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOOK_NAT, HOOK_PREROUTING, TARGET_DNAT } from "../../assembly/abi/entry.js";
import { STATUS_BAD_ENTRY } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { tcp, udp } from "../../src/packet/build.js";
import type { ConnectionTuple } from "../../src/ruleset/connections.js";
import { BareNode, ip4, type Result } from "../bare-node.js";
import { printTuple, reverse, type Tuple, textOfDestination, textOfSource, tupleOf } from "../frame-tuple.js";
import { Conntrack, type Flow, type Sent } from "../oracle/conntrack.js";
import { flowBucket } from "../oracle/hash.js";
import type { Direction } from "../oracle/tcp-states.js";
import { Tally } from "../tally.js";

const VIP = { address: ip4("10.96.0.10"), port: 80 };
const SERVER = { address: ip4("10.244.1.9"), port: 8080 };

/** A router with one address translated: VIP:80 to the server. */
async function makeNode(connections: number, capacity?: number): Promise<BareNode> {
  const node = await BareNode.make({ connections, ...(capacity === undefined ? {} : { capacity }) });
  const nat = new RuleDraft()
    .dst({ address: VIP.address, length: 32 }, false)
    .dport(VIP.port, VIP.port, false)
    .target(TARGET_DNAT, SERVER.address, SERVER.port);
  return node.route("0.0.0.0/0", { kind: "direct", out: 2 }).chain(0, nat).hook(HOOK_PREROUTING, 0, HOOK_NAT);
}

function frameOf({ tuple, flags, seq, ack, payload }: Sent): Uint8Array {
  const [from, to] = [textOfSource(tuple), textOfDestination(tuple)];
  return tuple.protocol === 6 ? tcp(from, to, { flags, seq, ack, payload }) : udp(from, to, { payload });
}

/** The node and the list of its connections that a person would keep. */
class Both {
  readonly oracle = new Conntrack();
  readonly #numbers = new Map<Flow, number>();

  constructor(
    readonly node: BareNode,
    readonly tally: Tally = new Tally(),
  ) {}

  send(tuple: Tuple, flags: string, now: number, numbers: Partial<Sent> = {}): void {
    const sent = { tuple, flags, seq: 0, ack: 0, payload: 0, ...numbers };
    const result = this.node.one(frameOf(sent), 1, now);
    const fate = this.oracle.meet(sent, now);
    if (fate.kind === "known") this.#known(fate.flow, fate.direction, result);
    else if (fate.kind === "new") this.#first(sent, now, result);
    else {
      this.tally.count("invalid");
      expect([result.connection, printTuple(tupleOf(result.frame))]).toEqual([0, printTuple(tuple)]);
    }
  }

  #known(flow: Flow, direction: Direction, result: Result): void {
    this.tally.count("known");
    if (flow.isAssured) this.tally.count("assured");
    const leaves = reverse(direction === "original" ? flow.reply : flow.original);
    expect(result).toMatchObject({ verdict: "FORWARD", connection: this.#numbers.get(flow) });
    expect(printTuple(tupleOf(result.frame))).toBe(printTuple(leaves));
  }

  #first(sent: Sent, now: number, result: Result): void {
    const { tuple } = sent;
    const isVip = tuple.dst === VIP.address && tuple.dstPort === VIP.port;
    const to = isVip ? { ...tuple, dst: SERVER.address, dstPort: SERVER.port } : tuple;
    const left = tupleOf(result.frame);
    const clashes = this.oracle.find(reverse(to), now) !== undefined;
    const flow = this.oracle.open(sent, clashes ? { ...to, srcPort: left.srcPort } : to, now);
    this.tally.count(clashes ? "clashed" : "opened");
    expect(result).toMatchObject({ verdict: "FORWARD", reason: "NONE" });
    expect(printTuple(left)).toBe(printTuple(reverse(flow.reply)));
    if (clashes)
      expect([classOf(left.srcPort), left.srcPort === to.srcPort]).toEqual([classOf(to.srcPort), false]);
    const others = this.oracle.live(now).filter((one) => one !== flow);
    expect(others.map((one) => this.#numbers.get(one))).not.toContain(result.connection);
    this.#numbers.set(flow, result.connection);
  }

  /** What the machine lists is the list, and once what has expired is swept, its count is the list's. */
  checkList(now: number): void {
    const byNumber = (left: { readonly number: number }, right: { readonly number: number }) =>
      left.number - right.number;
    const flows = this.oracle.live(now).map((flow) => ({
      number: this.#numbers.get(flow) ?? 0,
      ...(flow.original.protocol === 6 ? { state: flow.tcp } : {}),
      protocol: flow.original.protocol,
      original: endsOf(flow.original),
      reply: endsOf(flow.reply),
      timeout: flow.expires - now,
      mark: 0,
      isReplied: flow.isReplied,
      isAssured: flow.isAssured,
    }));
    expect(this.node.connections(now)).toEqual(flows.sort(byNumber));
    const { machine, state } = this.node.image;
    machine.flowsExpire(state, now, 1000);
    expect(machine.flowsCount(state)).toBe(flows.length);
  }
}

function endsOf({ src, dst, srcPort, dstPort }: Tuple): ConnectionTuple {
  return { src, dst, srcPort, dstPort };
}

/** A translated port stays among its like (nf_nat_l4proto_unique_tuple). */
function classOf(port: number): string {
  if (port < 512) return "1 to 511";
  return port < 1024 ? "512 to 1023" : "1024 to 65535";
}

interface Packet {
  readonly tuple: Tuple;
  readonly flags: string;
  readonly numbers: Pick<Sent, "seq" | "ack" | "payload">;
  /** Milliseconds since the one before. */
  readonly later: number;
}

const number = fc.constantFrom(0, 1, 1, 2, 0xffffffff);

const ends = {
  client: fc.constantFrom(ip4("10.0.0.1"), ip4("10.0.0.2")),
  port: fc.constantFrom(5000, 5001),
  server: fc.constantFrom(VIP, SERVER, SERVER, { address: ip4("10.244.1.8"), port: 53 }),
  later: fc.constantFrom(0, 0, 1, 999, 2_001, 10_000, 30_000, 59_999, 120_000, 300_001),
};

const packet: fc.Arbitrary<Packet> = fc
  .record({
    ...ends,
    protocol: fc.constantFrom(6, 6, 6, 17),
    isReply: fc.boolean(),
    flags: fc.constantFrom(
      "S",
      "S",
      "S",
      "SA",
      "SA",
      "A",
      "A",
      "A",
      "PA",
      "FA",
      "FA",
      "R",
      "RA",
      "F",
      "P",
      "SF",
    ),
    numbers: fc.record({ seq: number, ack: number, payload: fc.constantFrom(0, 0, 1) }),
  })
  .map(({ client, port, server, protocol, isReply, flags, numbers, later }) => {
    const tuple = { src: client, srcPort: port, dst: server.address, dstPort: server.port, protocol };
    return { tuple: isReply ? reverse(tuple) : tuple, flags, numbers, later };
  });

/** A handshake, without which few connections would be assured. */
const handshake: fc.Arbitrary<Packet[]> = fc
  .record({ ...ends, third: fc.constantFrom("A", "PA", "FA") })
  .map(({ client, port, server, later, third }) => {
    const to = ({ address, port: dstPort }: typeof SERVER): Tuple => {
      return { src: client, srcPort: port, dst: address, dstPort, protocol: 6 };
    };
    const request = to(server);
    const answer = reverse(server === VIP ? to(SERVER) : request);
    return [
      { tuple: request, flags: "S", numbers: { seq: 1, ack: 0, payload: 0 }, later },
      { tuple: answer, flags: "SA", numbers: { seq: 1, ack: 2, payload: 0 }, later: 0 },
      { tuple: request, flags: third, numbers: { seq: 2, ack: 2, payload: 0 }, later: 1 },
    ];
  });

const packets: fc.Arbitrary<readonly Packet[]> = fc
  .array(
    fc.oneof({ weight: 20, arbitrary: packet.map((one) => [one]) }, { weight: 1, arbitrary: handshake }),
    { minLength: 100, maxLength: 200 },
  )
  .map((drawn) => drawn.flat());

describe("flow", () => {
  it("keeps the connections that a list of them keeps: both directions, translation, states, time", async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(packets, async (drawn) => {
      const both = new Both(await makeNode(64), tally);
      let now = 0;
      for (const [index, { tuple, flags, numbers, later }] of drawn.entries()) {
        now += later;
        both.send(tuple, flags, now, numbers);
        if (index % 40 === 39) both.checkList(now);
      }
      both.checkList(now);
    });
    await fc.assert(property, { numRuns: 80 });
    tally.expectEach(["opened", "known", "invalid", "clashed", "assured"], 20);
  });

  it("is empty once cleared, and as good as new", async () => {
    const node = await makeNode(8);
    const fresh = node.image.copy();
    const both = new Both(node);
    const tuple = { src: ip4("10.0.0.1"), srcPort: 5000, dst: VIP.address, dstPort: 80, protocol: 6 };
    both.send(tuple, "S", 0);
    both.send({ ...tuple, srcPort: 5001 }, "S", 0);
    const { machine, state } = node.image;
    expect(machine.flowsCount(state)).toBe(2);
    machine.flowsClear(state);
    expect(machine.flowsCount(state)).toBe(0);
    expect(Buffer.compare(node.image.copy(), fresh)).toBe(0);
    both.oracle.clear();
    both.send(reverse({ ...tuple, dst: SERVER.address, dstPort: SERVER.port }), "SA", 0);
    both.send(tuple, "S", 0);
  });

  it("ends the search for a missing tuple where every bucket's overflow count is saturated", async () => {
    const node = await makeNode(16);
    const dst = ip4("10.244.1.8");
    const src = ip4("10.0.0.1");
    // 16 buckets: connections whose two directions both belong into one, more than fifteen of which pass it.
    const ofBucket: number[][] = Array.from({ length: 16 }, () => []);
    for (
      let ports = 0x0400_0035;
      ofBucket.some((list) => list.length < 10) && ports < 0xffff_0000;
      ports += 1
    ) {
      const bucket = flowBucket([src, dst, ports, 17], 4, node.image.flowKey);
      const turned = ((ports << 16) | (ports >>> 16)) >>> 0;
      if (flowBucket([dst, src, turned, 17], 4, node.image.flowKey) === bucket) ofBucket[bucket]?.push(ports);
    }
    let now = 0;
    for (const list of ofBucket) {
      for (const ports of list.slice(0, 10)) {
        const tuple = { src, dst, srcPort: ports >>> 16, dstPort: ports & 0xffff, protocol: 17 };
        const sent = { tuple, flags: "", seq: 0, ack: 0, payload: 0 };
        expect(node.one(frameOf(sent), 1, now).verdict).toBe("FORWARD");
      }
      now += 40_000;
      expect(node.image.machine.flowsExpire(node.image.state, now, 100)).toBe(10);
    }
    const both = new Both(node);
    both.send({ src, dst: VIP.address, srcPort: 5000, dstPort: 80, protocol: 6 }, "S", now);
    both.send({ src: SERVER.address, dst: src, srcPort: 8080, dstPort: 5000, protocol: 6 }, "SA", now);
    both.send({ src, dst, srcPort: 1, dstPort: 2, protocol: 17 }, "", now);
  });

  it("makes no table for no connection, or for more than it can number", async () => {
    const { machine, state } = (await BareNode.make()).image;
    for (const connections of [0, 4_194_304]) {
      expect(machine.stateLength(connections, 0)).toBe(0);
      expect(machine.stateCreate(state, connections, 0, 1, 0)).toBe(STATUS_BAD_ENTRY);
    }
  });
});
