import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { type Capture, LINK_TYPE_ETHERNET, parsePcap } from "../../src/io/pcap.js";
import { type ChecksumState, verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import { printPacket } from "../../src/packet/print.js";
import {
  CAPTURES,
  filesUnder,
  haveCaptures,
  outermost,
  readMaybeZipped,
  type SharedCapture,
  sharedCaptures,
  type Truth,
} from "./shared-captures.js";

const captures = sharedCaptures();
const results = captures.map((shared) => ({ ...shared, ...tryParse(shared) }));
const parsed = results.flatMap(({ capture, ...shared }) =>
  capture === undefined ? [] : [{ ...shared, capture }],
);
const ethernet = parsed.filter(({ capture }) => capture.linkType === LINK_TYPE_ETHERNET);

function tryParse(shared: SharedCapture): { capture?: Capture; refusal?: string } {
  try {
    return { capture: parsePcap(shared.bytes, shared.path) };
  } catch (error) {
    if (error instanceof InputError) return { refusal: error.message };
    throw error;
  }
}

/** Calls `check` for every Ethernet packet that has ground truth; gives how often `check` had something to compare. */
function compareAll(check: (bytes: Uint8Array, truth: Truth, where: string) => boolean): number {
  let compared = 0;
  for (const { path, capture, truth = [] } of ethernet) {
    for (const [index, expected] of truth.entries()) {
      const bytes = capture.packets[index]?.bytes;
      if (bytes !== undefined && check(bytes, expected, `${path} packet ${index + 1}`)) compared++;
    }
  }
  return compared;
}

/** What tshark says is right behind the outermost IP header: `ip:udp`, `ipv6:tcp`, … */
function outermostLayers(truth: Truth): readonly [string | undefined, string | undefined] {
  const protocols = String(truth["frame.protocols"]).split(":");
  const ip = protocols.findIndex((name) => name === "ip" || name === "ipv6");
  const before = protocols.slice(0, Math.max(0, ip));
  const plain = ip >= 0 && before.every((name) => ["eth", "ethertype", "vlan", "ieee8021ad"].includes(name));
  return plain ? [protocols[ip], protocols[ip + 1]] : [undefined, undefined];
}

const STATES: Readonly<Record<string, ChecksumState>> = { "0": "bad", "1": "good" };

describe.skipIf(!haveCaptures)(`captures in ${CAPTURES} (skipped where that folder is absent)`, () => {
  it("reads all, with as many packets of the length that tshark finds", () => {
    expect(parsed.length).toBeGreaterThan(0);
    // Only a folder with captures that are cut, or of several link types, has any refused.
    for (const { refusal = "is cut" } of results)
      expect(refusal).toMatch(/is cut|one capture for each link type/);
    for (const { path, capture, truth = [] } of parsed) {
      const frames = truth.map((frame) => `${frame["frame.cap_len"]} of ${frame["frame.len"]}`);
      const packets = capture.packets.map(
        ({ bytes, originalLength }) => `${bytes.length} of ${originalLength}`,
      );
      expect(packets.slice(0, frames.length), path).toEqual(frames);
    }
  });

  it("prints every Ethernet packet on one line", () => {
    for (const { path, capture } of ethernet) {
      for (const { bytes } of capture.packets) expect(printPacket(bytes), path).toMatch(/^[^\n]+$/);
    }
  });

  it("agrees with tshark on addresses, ports and TTL", () => {
    const compared = compareAll((bytes, truth, where) => {
      const [ip, transport] = outermostLayers(truth);
      const description = describePacket(bytes);
      if (ip === undefined) return false;
      if (description.src === undefined) {
        // Neither does tshark look behind a header that is cut or cannot be believed.
        expect(outermost(truth, "tcp.srcport") ?? outermost(truth, "udp.srcport"), where).toBeUndefined();
        return false;
      }
      expect(description.src, where).toBe(outermost(truth, `${ip}.src`));
      expect(description.dst, where).toBe(outermost(truth, `${ip}.dst`));
      expect(String(description.ttl), where).toBe(outermost(truth, ip === "ip" ? "ip.ttl" : "ipv6.hlim"));
      const srcPort = outermost(truth, `${transport}.srcport`);
      if (!/^(tcp|udp)$/.test(transport ?? "") || srcPort === undefined || description.srcPort === undefined)
        return true;
      expect(description.protocol, where).toBe(transport);
      expect(String(description.srcPort), where).toBe(srcPort);
      expect(String(description.dstPort), where).toBe(outermost(truth, `${transport}.dstport`));
      const { src, dst, dstPort } = description;
      expect(printPacket(bytes), where).toContain(`${src}.${srcPort} > ${dst}.${dstPort}: `);
      return true;
    });
    expect(compared).toBeGreaterThan(0);
  });

  it("agrees with tshark on which checksums are good", () => {
    const compared = compareAll((bytes, truth, where) => {
      const [ip, transport] = outermostLayers(truth);
      const states = verifyChecksums(bytes);
      const ipState = STATES[outermost(truth, "ip.checksum.status") ?? ""];
      if (ip === "ip" && ipState !== undefined && states.ip !== "absent")
        expect(states.ip, where).toBe(ipState);
      if (!["tcp", "udp", "icmp", "icmpv6"].includes(transport ?? "")) return false;
      const l4State = STATES[outermost(truth, `${transport}.checksum.status`) ?? ""];
      if (l4State === undefined || states.l4 === "absent") return false;
      expect(states.l4, where).toBe(l4State);
      return true;
    });
    expect(compared).toBeGreaterThan(0);
  });

  it.each(["vxlan", "geneve"] as const)(
    "finds the %s networks that tshark finds, with what is inside",
    (kind) => {
      const compared = compareAll((bytes, truth, where) => {
        const [ip, transport] = outermostLayers(truth);
        const tunnel = describePacket(bytes)[kind];
        if (ip !== "ip" || transport !== "udp" || tunnel === undefined) return false;
        const isTunnel = String(truth["frame.protocols"]).includes(`udp:${kind}:eth`);
        if (!isTunnel) return false;
        expect(tunnel.vni, where).toBe(Number(outermost(truth, `${kind}.vni`)));
        const innerSrc = truth["ip.src"]?.[1];
        if (innerSrc !== undefined && tunnel.inner?.src !== undefined)
          expect(tunnel.inner.src, where).toBe(innerSrc);
        return true;
      });
      expect(compared).toBeGreaterThan(0);
    },
  );
});

/** tcpdump -v puts its verdict on a checksum between the addresses and the rest. */
const VERDICT = /\[(bad )?\w+ (cksum|sum) [^\]]*\] /g;

/** tcpdump's text by packet number: a packet's text starts with its number and time, and may go on for lines. */
function printedPackets(text: string): Map<number, string> {
  const packets = new Map<number, string>();
  for (const part of text.split(/^(?= +\d+ {2}\d)/m)) {
    const match = /^ +(\d+) {2}(.*)$/s.exec(part);
    if (match !== null)
      packets.set(Number(match[1]), (match[2] ?? "").replaceAll(VERDICT, "").replaceAll(/\s+/g, " "));
  }
  return packets;
}

/** Parts of our line that tcpdump must have printed too, if it took the packet for the same thing. */
const PARTS: readonly (readonly [string, RegExp])[] = [
  ["Flags [", /[^ ]+ > [^ ]+: Flags \[[^\]]*\]/g],
  ["Flags [", /, win \d+/g],
  ["Flags [", /, options \[(?:(?:mss \d+|nop|eol|sackOK|wscale \d+|TS val \d+ ecr \d+),?)*\]/g],
  ["Flags [", /, length \d+/g],
  ["UDP, length", /[^ ]+ > [^ ]+: UDP, length \d+/g],
  ["ICMP echo", /[^ ]+ > [^ ]+: ICMP echo re[a-z]+, id \d+, seq \d+, length \d+/g],
  ["VXLAN, flags", /[^ ]+ > [^ ]+: VXLAN, flags \[.\] \(0x..\), vni \d+/g],
  ["who-has", /Request who-has [^ ]+ tell [^ ]+/g],
  ["is-at", /Reply [^ ]+ is-at [^ ,]+/g],
];

/** tcpdump prints sequence numbers relative to the first of a connection: those are left out of the comparison. */
function comparePrinted(ours: string, theirs: string, where: string): number {
  let compared = 0;
  if (/HBH|srcrt|RT6|DSTOPT|frag/.test(theirs)) return compared; // there tcpdump has no ports beside the addresses
  for (const [mark, part] of PARTS) {
    if (!theirs.includes(mark) || !ours.includes(mark)) continue;
    for (const found of ours.match(part) ?? []) {
      // Tunnels that we print as plain UDP are looked into by tcpdump.
      if (mark === "UDP, length" && !theirs.includes(found.replace(/\d+$/, ""))) continue;
      expect(theirs, `${where}: ${ours}`).toContain(found);
      compared++;
    }
  }
  return compared;
}

describe.skipIf(!haveCaptures)("text that tcpdump printed of the same captures", () => {
  it("has the same addresses, flags, windows, options and lengths", () => {
    let compared = 0;
    for (const path of filesUnder(CAPTURES).filter((file) => file.endsWith(".out.txt"))) {
      const stem = basename(path).replace(/\.out\.txt$/, "");
      const folder = dirname(path).replace(/-printed$/, "");
      const names = [stem, stem.replace(/-v+$/, "")].flatMap((name) => [`${name}.pcap`, `${name}.pcap.gz`]);
      const source = names.map((name) => join(folder, name)).find(existsSync);
      if (source === undefined) continue;
      const capture = parsePcap(readMaybeZipped(source), source);
      if (capture.linkType !== LINK_TYPE_ETHERNET) continue;
      for (const [number, theirs] of printedPackets(new TextDecoder().decode(readMaybeZipped(path)))) {
        const packet = capture.packets[number - 1];
        if (packet === undefined) continue;
        compared += comparePrinted(printPacket(packet.bytes), theirs, `${path} packet ${number}`);
      }
    }
    expect(compared).toBeGreaterThan(0);
  });
});
