import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  HOOK_NAT,
  HOOK_PREROUTING,
  NEXT_HOP_ENTRY_LEN,
  ROUTE_ENTRY_LEN,
  RULE_DPORT_FROM,
  RULE_DPORT_TO,
  RULE_DST,
  RULE_DST_MASK,
  RULE_ENTRY_LEN,
  RULE_PROTOCOL,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TUNNEL_VXLAN,
} from "../../assembly/abi/entry.js";
import { SCHEDULER_MAGLEV, SERVER_ENTRY_LEN, SERVER_ROW_LEN } from "../../assembly/abi/server.js";
import { PROTO_TCP } from "../../assembly/abi/wire.js";
import { RING_LEN } from "./flows.js";
import { FrameFile } from "./frames.js";
import { BenchImage, type Kernel, OrderedSum, readWords } from "./kernel.js";
import { PacketRing } from "./packet-ring.js";

/** What is done to a ring of packets. */
type Work = "run" | "balance" | "translate" | "decapsulate";

/** Packets through the machine, ring after ring of a list of frames. */
class PacketKernel implements Kernel {
  #ring: PacketRing | undefined;
  #file = new FrameFile({ count: 0, length: 0 });
  #words = new Uint32Array(0);
  #next = 0;

  constructor(
    readonly image: BenchImage,
    readonly work: Work = "run",
  ) {}

  keys(path: string, stride: number): string {
    const octets = new Uint8Array(readFileSync(path));
    this.#file = new FrameFile(octets);
    this.#words = new Uint32Array(octets.buffer, octets.byteOffset, octets.length >> 2);
    this.#ring = new PacketRing(this.image, stride);
    this.#next = 0;
    return `${this.work}, ${stride}-octet slots`;
  }

  #refill(): PacketRing {
    const ring = this.#ring;
    if (ring === undefined) throw new Error("there are no packets yet: give a file of frames.");
    ring.refill(this.#file, this.#words, this.#next);
    this.#next = (this.#next + RING_LEN) % this.#file.count;
    return ring;
  }

  check(): number {
    const sum = new OrderedSum();
    this.#next = 0;
    do {
      const ring = this.#refill();
      ring[this.work]();
      ring.addTo(sum);
    } while (this.#next !== 0);
    return sum.value;
  }

  pass(): number {
    const ring = this.#refill();
    const begin = performance.now();
    ring[this.work]();
    return ((performance.now() - begin) * 1e6) / RING_LEN;
  }
}

const IMAGE_OCTETS = 2 ** 26;

async function nodeImage(folder: string, connections: number): Promise<BenchImage> {
  const image = await BenchImage.make(IMAGE_OCTETS, connections);
  const { machine, address } = image;
  const hops = new Uint8Array(readFileSync(join(folder, "hops.bin")));
  const hopsAt = image.place(hops);
  for (let number = 0; number * NEXT_HOP_ENTRY_LEN < hops.length; number++)
    image.check(machine.nextHopSet(address, number, hopsAt + number * NEXT_HOP_ENTRY_LEN));
  const routes = readWords(folder, "routes.bin");
  image.check(machine.routesInsert(address, image.place(routes), (routes.length * 4) / ROUTE_ENTRY_LEN));
  return image;
}

async function routerImage(folder: string): Promise<BenchImage> {
  const image = await nodeImage(folder, 16);
  const [, port, vni] = readWords(folder, "tunnel.bin") as unknown as [number, number, number];
  image.check(image.machine.tunnelSet(image.address, TUNNEL_VXLAN, port, vni, 1));
  return image;
}

/** A node that only routes, and takes tunnelled packets too. */
export async function routerKernel(folder: string): Promise<Kernel> {
  return new PacketKernel(await routerImage(folder));
}

/** The same node, that only takes outer headers off. */
export async function decapsulatorKernel(folder: string): Promise<Kernel> {
  return new PacketKernel(await routerImage(folder), "decapsulate");
}

const SERVICE_WORDS = 4;

/** A chain at PREROUTING that gives each Service's connections their Pod. */
function setServices(image: BenchImage, services: Uint32Array): void {
  const count = services.length / SERVICE_WORDS;
  const rules = new Uint8Array(count * RULE_ENTRY_LEN);
  const words = new Uint32Array(count * 2);
  for (let index = 0; index < count; index++) {
    const [vip, port, pod, podPort] = services.subarray(index * SERVICE_WORDS) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const rule = new DataView(rules.buffer, index * RULE_ENTRY_LEN);
    rule.setUint32(RULE_DST, vip, true);
    rule.setUint32(RULE_DST_MASK, 0xffffffff, true);
    rule.setUint16(RULE_DPORT_FROM, port, true);
    rule.setUint16(RULE_DPORT_TO, port, true);
    rule.setUint8(RULE_PROTOCOL, PROTO_TCP);
    rule.setUint8(RULE_TARGET, TARGET_DNAT);
    rule.setUint32(RULE_WORDS, index * 2, true);
    words.set([pod, podPort], index * 2);
  }
  const { machine, address } = image;
  image.check(machine.chainSet(address, 0, image.place(rules), count, image.place(words), words.length));
  image.check(machine.hookAppend(address, HOOK_PREROUTING, 0, HOOK_NAT, TARGET_ACCEPT));
}

async function flowImage(folder: string): Promise<BenchImage> {
  const opening = new FrameFile(new Uint8Array(readFileSync(join(folder, "opening.bin"))));
  const image = await nodeImage(folder, opening.count / 2);
  setServices(image, readWords(folder, "services.bin"));
  new PacketRing(image, 256).open(opening.count, (index, into) => into.set(opening.at(index)));
  if (image.machine.flowsCount(image.state) >>> 0 !== opening.count / 2)
    throw new Error("the answers opened connections of their own.");
  return image;
}

/** A node with Services, whose connections are open and answered. */
export async function flowKernel(folder: string): Promise<Kernel> {
  return new PacketKernel(await flowImage(folder));
}

/** The same node, that only translates as its connections say. */
export async function translatorKernel(folder: string): Promise<Kernel> {
  return new PacketKernel(await flowImage(folder), "translate");
}

/** A virtual server whose slots are Maglev's; its real servers come in the order of the native table's numbers. */
export async function maglevKernel(folder: string): Promise<Kernel> {
  const image = await BenchImage.make(IMAGE_OCTETS);
  const backends = readWords(folder, "backends.bin");
  const slots = readWords(folder, "maglev.bin").length;
  const count = backends.length / 2;
  const rows = new Uint32Array((count * SERVER_ENTRY_LEN) / 4);
  for (let index = 0; index < count; index++)
    rows.set([...backends.subarray(index * 2, index * 2 + 2), 1], (index * SERVER_ENTRY_LEN) / 4);
  const { machine, address } = image;
  const row = new Uint32Array(SERVER_ROW_LEN / 4);
  row.set([0, count, SCHEDULER_MAGLEV]);
  image.check(machine.serverSet(address, image.place(row), image.place(rows), slots));
  return new PacketKernel(image, "balance");
}
