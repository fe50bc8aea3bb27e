import { describe, expect, it } from "vitest";
import { FORWARD_DIRECT, FORWARD_MASQUERADE } from "../../assembly/abi/server.js";
import { SESSION_FLAG_INACTIVE } from "../../assembly/abi/session.js";
import * as setting from "../../assembly/abi/setting.js";
import { CHUNKS, sctp, tcp } from "../../src/packet/build.js";
import { sessionStateName } from "../../src/trace/session-states.js";
import {
  isTcpActive,
  SCTP_STATES,
  SCTP_TIMEOUTS,
  sctpStep,
  TCP_NAMES,
  TCP_STATES,
  TCP_TIMEOUTS,
  tcpStep,
  type Way,
} from "../oracle/ipvs-states.js";
import { IpvsNode } from "./ipvs-node.js";
import { SCTP, TCP } from "./two-lists.js";

const CLIENT = "192.0.2.1:40000";
const VIP = "10.96.0.10";
const SERVER = { address: "10.244.1.1", port: 80 };
/** Of a record (assembly/table/flow), and of a state's head. */
const [FLAGS_AT, PROGRESS_AT, RECORD_LEN] = [44, 52, 64];
const [RECORDS_AT, IPVS_AT] = [48, 120];
const SECOND = 1000;
const NOW = 10 ** 9;

/** A node with one session, whose state may be set. */
class OneSession {
  readonly #number: number;

  private constructor(
    readonly node: IpvsNode,
    readonly protocol: number,
    readonly way: Way,
  ) {
    this.#number = node.one(this.#request("S", 1), NOW).session;
  }

  static async make(protocol: number, way: Way, isSecure: boolean): Promise<OneSession> {
    const forward = way === "alone" ? FORWARD_DIRECT : FORWARD_MASQUERADE;
    const node = (await IpvsNode.make())
      .settings({
        [setting.SETTING_VS_SECURE_TCP]: isSecure ? 3 : 0,
        [setting.SETTING_VS_CONN_REUSE_MODE]: 0,
      })
      .set(0, { port: 80 }, [{ ...SERVER, weight: 1, forward }])
      .listen(0, VIP, protocol, 80);
    return new OneSession(node, protocol, way);
  }

  #request(flags: string, chunk: number): Uint8Array {
    const to = `${VIP}:80`;
    return this.protocol === TCP
      ? tcp(CLIENT, to, { flags })
      : sctp(CLIENT, to, { chunk: CHUNKS[chunk] ?? "DATA" });
  }

  #answer(flags: string, chunk: number): Uint8Array {
    const from = `${SERVER.address}:80`;
    return this.protocol === TCP
      ? tcp(from, CLIENT, { flags })
      : sctp(from, CLIENT, { chunk: CHUNKS[chunk] ?? "DATA" });
  }

  /** Makes it one of a state that is inactive, or active. */
  #put(state: number, isActive: boolean): void {
    const { memory, state: at } = this.node.image;
    const ipvs = at + memory.view(at, 128).getUint32(IPVS_AT, true);
    const records = ipvs + memory.view(ipvs, 128).getUint32(RECORDS_AT, true);
    const record = memory.view(records + this.#number * RECORD_LEN, RECORD_LEN);
    record.setUint32(PROGRESS_AT, state, true);
    const [session] = this.node.sessions;
    if (session?.isActive === isActive) return;
    record.setUint32(FLAGS_AT, record.getUint32(FLAGS_AT, true) ^ SESSION_FLAG_INACTIVE, true);
  }

  /** The state that a packet leads to from another, with milliseconds that it gets and whether it is active. */
  step(state: number, isActive: boolean, flags: string, chunk: number): readonly [string, number, boolean] {
    this.#put(state, isActive);
    const frame = this.way === "out" ? this.#answer(flags, chunk) : this.#request(flags, chunk);
    expect(this.node.one(frame, NOW).session).toBe(this.#number);
    const [session] = this.node.sessions;
    return [session?.state ?? "", session?.timeout ?? 0, session?.isActive ?? false];
  }
}

const WAYS: readonly Way[] = ["in", "out", "alone"];

describe("IPVS' states", () => {
  it.each(WAYS)("of TCP are the kernel's for every state and flag, %s", async (way) => {
    const letters = ["F", "S", "R", "P", "A"];
    for (const isSecure of [false, true]) {
      const session = await OneSession.make(TCP, way, isSecure);
      for (let bits = 0; bits < 32; bits++) {
        const flags = letters.filter((_, bit) => ((bits >> bit) & 1) !== 0).join("");
        for (const state of TCP_STATES.keys())
          for (const isActive of [false, true]) {
            const next = tcpStep(way, flags, state, isSecure);
            const said = `${flags} in ${TCP_STATES[state]}`;
            const active = next === state ? isActive : isTcpActive(next);
            expect([said, ...session.step(state, isActive, flags, 0)]).toEqual([
              said,
              TCP_NAMES[next],
              (TCP_TIMEOUTS[next] as number) * SECOND,
              active,
            ]);
          }
      }
    }
  });

  it.each(WAYS)("of SCTP are the kernel's for every state and chunk, %s", async (way) => {
    const session = await OneSession.make(SCTP, way, false);
    for (const chunk of CHUNKS.keys())
      for (const state of SCTP_STATES.keys())
        for (const isActive of [false, true]) {
          const next = sctpStep(way, chunk, state);
          const said = `${CHUNKS[chunk]} in ${SCTP_STATES[state]}`;
          const active = next === state ? isActive : next === 8;
          expect([said, ...session.step(state, isActive, "", chunk)]).toEqual([
            said,
            sessionStateName(SCTP, next),
            (SCTP_TIMEOUTS[next] as number) * SECOND,
            active,
          ]);
        }
  });
});
