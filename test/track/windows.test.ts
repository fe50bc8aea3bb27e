import { describe, expect, it } from "vitest";
import { tcp } from "../../src/packet/build.js";
import { frame } from "../../src/packet/frame.js";
import type { Sysctls } from "../../src/ruleset/sysctls.js";
import type { BareNode } from "../bare-node.js";
import { routerOf } from "./router.js";

const [CLIENT, SERVER] = ["10.0.0.1:5000", "10.0.0.2:80"];

interface Segment {
  readonly flags: string;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  readonly payload?: number;
}

/** Two ends that talk through a router which follows their windows. */
class Talk {
  now = 0;

  private constructor(readonly node: BareNode) {}

  /** After a handshake: the client's next number is 1001, the server's 5001; each takes `window` octets. */
  static async established(window = 1000, sysctls: Sysctls = {}): Promise<Talk> {
    const talk = new Talk(await routerOf({ windows: true, sysctls }));
    expect(talk.client({ flags: "S", seq: 1000, window })).toBe(true);
    expect(talk.server({ flags: "SA", seq: 5000, ack: 1001, window })).toBe(true);
    expect(talk.client({ flags: "A", seq: 1001, ack: 5001, window })).toBe(true);
    expect(talk.state).toBe("ESTABLISHED");
    return talk;
  }

  static async unopened(): Promise<Talk> {
    return new Talk(await routerOf({ windows: true }));
  }

  client(segment: Segment): boolean {
    return this.#send(CLIENT, SERVER, segment);
  }

  server(segment: Segment): boolean {
    return this.#send(SERVER, CLIENT, segment);
  }

  get state(): string | undefined {
    return this.node.connections(this.now)[0]?.state;
  }

  get timeout(): number | undefined {
    return this.node.connections(this.now)[0]?.timeout;
  }

  #send(from: string, to: string, segment: Segment): boolean {
    return this.node.one(tcp(from, to, { window: 1000, ...segment }), 1, this.now).verdict === "FORWARD";
  }
}

describe("TCP windows", () => {
  it("take data within the window, and refuse what is beyond it", async () => {
    const talk = await Talk.established();
    expect(talk.client({ flags: "PA", seq: 1001, ack: 5001, payload: 1000 })).toBe(true);
    expect(talk.client({ flags: "PA", seq: 2002, ack: 5001, payload: 1100 })).toBe(false);
    expect(talk.server({ flags: "A", seq: 5001, ack: 2001 })).toBe(true);
    expect(talk.client({ flags: "PA", seq: 2001, ack: 5001, payload: 1000 })).toBe(true);
  });

  it("let data sent again pass, and an ACK of what was never sent not", async () => {
    const talk = await Talk.established();
    expect(talk.client({ flags: "PA", seq: 1001, ack: 5001, payload: 500 })).toBe(true);
    expect(talk.client({ flags: "PA", seq: 1001, ack: 5001, payload: 500 })).toBe(true);
    expect(talk.server({ flags: "A", seq: 5001, ack: 1502 })).toBe(false);
    expect(talk.server({ flags: "A", seq: 5001, ack: 1501 })).toBe(true);
  });

  it("believe an RST only where its number is the one that is due", async () => {
    for (const [seq, passes, state] of [
      [1001, true, "CLOSE"],
      // It was acknowledged long ago.
      [900, false, "ESTABLISHED"],
      // In the window, but a guess: what it brings is a challenge.
      [1500, true, "ESTABLISHED"],
      [900_000, false, "ESTABLISHED"],
    ] as const) {
      const talk = await Talk.established();
      expect(talk.server({ flags: "PA", seq: 5001, ack: 1001, payload: 10 })).toBe(true);
      expect([seq, talk.client({ flags: "R", seq }), talk.state]).toEqual([seq, passes, state]);
    }
  });

  it("believe any RST before what is due, where nf_conntrack_tcp_ignore_invalid_rst says so", async () => {
    const sysctls = { "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst": 1 };
    const talk = await Talk.established(1000, sysctls);
    expect(talk.server({ flags: "PA", seq: 5001, ack: 1001, payload: 10 })).toBe(true);
    expect(talk.client({ flags: "R", seq: 900 })).toBe(true);
  });

  it("are not asked where nf_conntrack_tcp_be_liberal is 1", async () => {
    const talk = await Talk.established(1000, { "net.netfilter.nf_conntrack_tcp_be_liberal": 1 });
    expect(talk.client({ flags: "PA", seq: 900_000, ack: 5001, payload: 10 })).toBe(true);
    expect(talk.state).toBe("ESTABLISHED");
  });

  it("scale where both ends offer to", async () => {
    for (const [answer, passes] of [
      [[3, 3, 4, 0], true],
      [[], false],
    ] as const) {
      const node = await routerOf({ windows: true });
      const send = (from: string, to: string, fields: object, options: readonly number[], payload = 0) => {
        const [src, srcPort] = from.split(":") as [string, string];
        const [dst, dstPort] = to.split(":") as [string, string];
        const ends = { srcPort: Number(srcPort), dstPort: Number(dstPort), window: 1000 };
        const ip = frame().eth().ip4({ src, dst });
        const segment = ip.tcp({ ...ends, ...fields, options: Uint8Array.from(options) });
        return node.one(segment.payload(new Uint8Array(payload)).bytes()).verdict === "FORWARD";
      };
      send(CLIENT, SERVER, { flags: "S", seq: 1000 }, [3, 3, 7, 0]);
      send(SERVER, CLIENT, { flags: "SA", seq: 5000, ack: 1001 }, answer);
      send(CLIENT, SERVER, { flags: "A", seq: 1001, ack: 5001 }, []);
      send(SERVER, CLIENT, { flags: "A", seq: 5001, ack: 1001 }, []);
      // The server's 1000 are 16,000.
      expect(send(CLIENT, SERVER, { flags: "PA", seq: 9001, ack: 5001 }, [], 100)).toBe(passes);
    }
  });

  it("are not known of a connection that is met on its way: what it says is believed", async () => {
    const talk = await Talk.established();
    talk.node.image.machine.flowsClear(talk.node.image.state);
    expect(talk.client({ flags: "PA", seq: 77_000, ack: 88_000, payload: 10 })).toBe(true);
    expect(talk.server({ flags: "A", seq: 88_000, ack: 77_010 })).toBe(true);
    expect(talk.client({ flags: "PA", seq: 2_000_000, ack: 88_000, payload: 10 })).toBe(true);
  });

  it("believe an RST that acknowledges what was let through before a SYN only of the other end", async () => {
    for (const [answers, state] of [
      ["client", "CLOSE"],
      ["server", "SYN_SENT2"],
    ] as const) {
      const talk = await Talk.unopened();
      talk.client({ flags: "S", seq: 999, payload: 1 });
      // It is let through, and ends at 1002.
      talk.server({ flags: "A", seq: 1001, ack: 1003, payload: 1 });
      talk.server({ flags: "S", seq: 998, payload: 3 });
      expect(talk.state).toBe("SYN_SENT2");
      talk[answers]({ flags: "R", seq: 200_000, ack: 1002 });
      expect([answers, talk.state]).toEqual([answers, state]);
    }
  });

  it("shorten the timeout while data is not acknowledged, and where ACKs come again and again", async () => {
    const talk = await Talk.established();
    expect(talk.timeout).toBe(432_000_000);
    talk.client({ flags: "PA", seq: 1001, ack: 5001, payload: 10 });
    expect(talk.timeout).toBe(300_000);
    talk.server({ flags: "A", seq: 5001, ack: 1011 });
    expect(talk.timeout).toBe(432_000_000);
    const sysctls = { "net.netfilter.nf_conntrack_tcp_timeout_max_retrans": 200 };
    const stuck = await Talk.established(1000, sysctls);
    const timeouts = [1, 2, 3].map(() => {
      stuck.client({ flags: "A", seq: 1001, ack: 5001 });
      return stuck.timeout;
    });
    expect(timeouts).toEqual([432_000_000, 432_000_000, 200_000]);
  });

  it("are begun anew where a SYN that was ignored turns out right", async () => {
    const talk = await Talk.established();
    expect(talk.client({ flags: "S", seq: 700_000 })).toBe(true);
    expect(talk.server({ flags: "SA", seq: 900_000, ack: 700_001 })).toBe(true);
    expect(talk.state).toBe("SYN_RECV");
    expect(talk.client({ flags: "A", seq: 700_001, ack: 900_001 })).toBe(true);
    expect(talk.client({ flags: "PA", seq: 700_001, ack: 900_001, payload: 1000 })).toBe(true);
    expect(talk.client({ flags: "PA", seq: 800_000, ack: 900_001, payload: 10 })).toBe(false);
  });
});
