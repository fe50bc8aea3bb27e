import { describe, expect, it } from "vitest";
import { packetyard } from "./packetyard.js";

const SAVED = `-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 10.0.0.1:8080 -m -w 1
`;

describe("packetyard trace --ipvsadm-save", () => {
  const trace = (saved: string, to: string, ...more: readonly string[]) =>
    packetyard(["trace", "--ipvsadm-save", "-", "--from", "198.51.100.7:40000", "--to", to, ...more], saved);

  it("says of a packet that no virtual server is for that IPVS passes it by", () => {
    const passedBy = (to: string, ...more: readonly string[]) =>
      trace(SAVED, to, ...more).stderr.match(/^note: no virtual server .*$/m)?.[0];
    expect(passedBy("192.0.2.10:80")).toBe(undefined);
    expect(passedBy("192.0.2.10:81")).toBe(
      "note: no virtual server takes the packet to 192.0.2.10:81 (tcp): IPVS passes it by.",
    );
    expect(passedBy("192.0.2.10:80", "--protocol", "UDP")).toContain("to 192.0.2.10:80 (udp): IPVS");
  });

  it("says of a virtual server without real ones that it has none", () => {
    const { stdout, stderr } = trace("-A -t 192.0.2.10:80 -s rr\n", "192.0.2.10:80");
    expect(stdout).toContain("ipvs       192.0.2.10:80, rr: no real server\n");
    expect(stdout).toContain(
      "rejected on node stdin: ICMP port unreachable: 192.0.2.10:80 has no endpoints\n",
    );
    expect(stderr).not.toContain("note: no virtual server");
  });

  it("leaves what came to FTP's virtual server by another port to the node, where that has no real one", () => {
    const last = (to: string) => trace("-A -t 192.0.2.10:21 -s rr\n", to).stdout.trimEnd().split("\n").at(-1);
    expect(last("192.0.2.10:21")).toContain("rejected on node stdin");
    expect(last("192.0.2.10:4000")).toBe("delivered to the node itself (stdin)");
  });

  it.each([
    ["IPv4", "192.0.2.10:80", "198.51.100.7:1"],
    ["IPv6", "[2001:db8:1::10]:80", "[2001:db8:2::7]:1"],
  ])("says of a file without one that it holds none, and lets a packet pass: %s", (_, to, from) => {
    for (const saved of ["", "\n"]) {
      const args = ["trace", "--ipvsadm-save", "-", "--from", from, "--to", to];
      const { stdout, stderr, code } = packetyard(args, saved);
      expect([code, stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "leaves node stdin by eth0"]);
      expect(stderr).toContain("warning: stdin: holds no virtual server: IPVS passes every packet by.\n");
      expect(stderr).not.toContain("note: no virtual server");
    }
  });
});
