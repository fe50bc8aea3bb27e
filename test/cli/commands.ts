import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writePcap } from "../../src/io/pcap.js";
import { tcp } from "../../src/packet/build.js";

/** Three packets from a Pod to a Service of test/trace/small-cluster.ts. */
export const CAPTURE = writePcap({
  packets: Array.from({ length: 3 }, (_, index) => ({
    timestampNs: BigInt(index),
    bytes: tcp("10.244.1.7:41000", "10.96.0.10:80"),
  })),
});

/** The commands that read a cluster, each writing to a file where it can. */
export function commandsOn(cluster: string, folder: string): readonly (readonly string[])[] {
  const capture = join(folder, "in.pcap");
  const out = join(folder, "out");
  writeFileSync(capture, CAPTURE);
  return [
    ["compile", "-f", cluster, "-o", "image", "--write", out],
    ["trace", "-f", cluster, "--from", "pod/shop/cart", "--to", "svc/shop/near"],
    ["run", "-f", cluster, "--pcap", capture, "--write", out],
  ];
}
