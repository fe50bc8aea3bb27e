import { describe, expect, it } from "vitest";
import { tcp } from "../../src/packet/build.js";
import type { BareNode } from "../bare-node.js";
import { tupleOf } from "../frame-tuple.js";
import { Conntrack } from "../oracle/conntrack.js";
import { type Direction, TCP_STATES, type TcpState } from "../oracle/tcp-states.js";
import { routerOf } from "./router.js";

const ENDS: Readonly<Record<Direction, readonly [from: string, to: string]>> = {
  original: ["10.0.0.1:5000", "10.0.0.2:80"],
  reply: ["10.0.0.2:80", "10.0.0.1:5000"],
};

interface Step {
  readonly direction: Direction;
  readonly flags: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly payload?: number;
}

/** `>S <SA >A`: segments of the opener and of the other end. */
function stepsOf(text: string): readonly Step[] {
  return text
    .split(" ")
    .filter((step) => step !== "")
    .map((step) => ({ direction: step.startsWith(">") ? "original" : "reply", flags: step.slice(1) }));
}

const WAYS: Readonly<Record<TcpState, string>> = {
  NONE: "",
  SYN_SENT: ">S",
  SYN_SENT2: ">S <S",
  SYN_RECV: ">S <SA",
  ESTABLISHED: ">S <SA >A",
  FIN_WAIT: ">S <SA >A >FA",
  CLOSE_WAIT: ">S <SA >A >FA <A",
  LAST_ACK: ">S <SA >A >FA <A <FA",
  TIME_WAIT: ">S <SA >A >FA <A <FA >A",
  CLOSE: ">S <SA >A <R",
};

/** Every combination of the six flags. */
const FLAGS = Array.from({ length: 64 }, (_, bits) =>
  ["F", "S", "R", "P", "A", "U"].filter((_, bit) => ((bits >> bit) & 1) !== 0).join(""),
);

function send(node: BareNode, { direction, flags, ...numbers }: Step, now: number): boolean {
  const [from, to] = ENDS[direction];
  return node.one(tcp(from, to, { flags, ...numbers }), 1, now).verdict === "FORWARD";
}

/** The same to a list of connections; whether the segment belongs to one, or opened it. */
function tell(oracle: Conntrack, { direction, flags, ...numbers }: Step, now: number): boolean {
  const [from, to] = ENDS[direction];
  const sent = { tuple: tupleOf(tcp(from, to)), flags, seq: 0, ack: 0, payload: 0, ...numbers };
  const fate = oracle.meet(sent, now);
  if (fate.kind === "new") oracle.open(sent, sent.tuple, now);
  return fate.kind !== "invalid";
}

function expectSame(node: BareNode, oracle: Conntrack, now: number): void {
  const listed = node
    .connections(now)
    .map(({ state, timeout, isReplied, isAssured }) => ({ state, timeout, isReplied, isAssured }));
  const kept = oracle.live(now).map(({ tcp: state, expires, isReplied, isAssured }) => ({
    state,
    timeout: expires - now,
    isReplied,
    isAssured,
  }));
  expect(listed).toEqual(kept);
}

describe("TCP states", () => {
  it.each(TCP_STATES)("move from %s by any flags from either end as netfilter's do", async (state) => {
    const node = await routerOf();
    let now = 0;
    for (const direction of ["original", "reply"] as const)
      for (const flags of FLAGS) {
        const oracle = new Conntrack();
        for (const step of [...stepsOf(WAYS[state]), { direction, flags }]) {
          expect([step, send(node, step, now)]).toEqual([step, tell(oracle, step, now)]);
          expectSame(node, oracle, now);
          now += 7;
        }
        node.image.machine.flowsClear(node.image.state);
      }
  });

  it.each([
    ["a SYN+ACK that acknowledges a SYN which was ignored puts both in step", ">S <SA >A", 100, "SYN_RECV"],
    ["one that acknowledges another is ignored too", ">S <SA >A", 101, "ESTABLISHED"],
  ] as const)("%s", async (_, way, ack, state) => {
    const node = await routerOf();
    const steps = [
      ...stepsOf(way),
      { direction: "original", flags: "S", seq: 99 },
      { direction: "reply", flags: "SA", ack },
    ] as const;
    for (const step of steps) expect(send(node, step, 0)).toBe(true);
    expect(node.connections()).toMatchObject([{ state }]);
  });

  it("an ACK that challenges a SYN does not acknowledge the last FIN", async () => {
    const node = await routerOf();
    const steps = stepsOf(`${WAYS.LAST_ACK} >S <A`);
    for (const step of steps) expect(send(node, step, 0)).toBe(true);
    expect(node.connections()).toMatchObject([{ state: "LAST_ACK" }]);
  });

  it("a SYN sent again does not make its connection last longer, a SYN+ACK does", async () => {
    const node = await routerOf();
    send(node, { direction: "original", flags: "S" }, 0);
    send(node, { direction: "original", flags: "S" }, 119_000);
    expect(node.connections(119_000)).toMatchObject([{ timeout: 1000 }]);
    send(node, { direction: "reply", flags: "SA" }, 119_999);
    expect(node.connections(119_999)).toMatchObject([{ state: "SYN_RECV", timeout: 60_000 }]);
  });

  it("after the end the same ports may begin anew, from either end", async () => {
    for (const opener of ["original", "reply"] as const) {
      const node = await routerOf();
      for (const step of stepsOf(WAYS.TIME_WAIT)) send(node, step, 0);
      expect(send(node, { direction: opener, flags: "S" }, 10)).toBe(true);
      const [from] = ENDS[opener];
      expect(node.connections(10)).toMatchObject([
        { state: "SYN_SENT", isReplied: false, original: { srcPort: Number(from.split(":")[1]) } },
      ]);
    }
  });
});

describe("settings of the kernel", () => {
  it("nf_conntrack_tcp_loose says whether an ACK may begin a connection", async () => {
    const [strict, loose] = [
      await routerOf({ sysctls: { "net.netfilter.nf_conntrack_tcp_loose": 0 } }),
      await routerOf(),
    ];
    for (const flags of ["A", "PA"]) {
      expect(send(strict, { direction: "original", flags }, 0)).toBe(false);
      expect(send(loose, { direction: "original", flags }, 0)).toBe(true);
    }
    expect(strict.connections()).toEqual([]);
    expect(loose.connections()).toMatchObject([{ state: "ESTABLISHED", timeout: 300_000, isAssured: false }]);
  });

  it("timeouts are theirs", async () => {
    const node = await routerOf({
      sysctls: {
        "net.netfilter.nf_conntrack_tcp_timeout_syn_sent": 7,
        "net.netfilter.nf_conntrack_tcp_timeout_established": 86_400,
      },
    });
    send(node, { direction: "original", flags: "S" }, 0);
    expect(node.connections()).toMatchObject([{ timeout: 7000 }]);
    for (const step of stepsOf("<SA >A >A >PA <A")) send(node, step, 10);
    expect(node.connections(10)).toMatchObject([{ timeout: 86_400_000, isAssured: true }]);
  });

  it("are refused by name where the kernel would not take them", async () => {
    const sysctls = { "net.netfilter.nf_conntrack_udp_timeout": -1 };
    await expect(routerOf({ sysctls })).rejects.toThrow(
      "sysctl net.netfilter.nf_conntrack_udp_timeout: -1 is not a whole number from 0 to 2147483647.",
    );
  });
});
