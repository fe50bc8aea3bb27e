import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { parseManifests } from "../../src/io/manifests.js";
import { buildCluster, type Cluster } from "../../src/model/cluster.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";

const shared = join(SHARED, "data/k8s");
const note = existsSync(shared) ? "" : ` (skipped: no folder ${shared}; set PACKETYARD_SHARED)`;

function filesIn(folder: string): readonly string[] {
  if (!existsSync(join(shared, folder))) return [];
  return readdirSync(join(shared, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)(\.[a-z]+)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function load(path: string): Cluster {
  const octets = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(octets) : octets).toString("utf8");
  return buildCluster(parseManifests([{ file: relative(shared, path), text }]));
}

/** The cluster, or undefined for input that is refused in words; anything else is thrown. */
function loadOrRefuse(path: string): Cluster | undefined {
  try {
    return load(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const { place } of error.diagnostics) expect(place.file).toBe(relative(shared, path));
    return undefined;
  }
}

/** Every address is given once, and every endpoint that names a Pod is that Pod's address. */
function expectSound({ pods, services, endpointSlices, nodes }: Cluster): void {
  const clusterIPs = services.flatMap((service) => service.clusterIPs);
  expect(new Set(clusterIPs).size).toBe(clusterIPs.length);
  const podIPs = pods.filter((pod) => !pod.hostNetwork).flatMap((pod) => pod.podIPs);
  expect(new Set(podIPs).size).toBe(podIPs.length);
  const names = new Set(nodes.map(({ name }) => name));
  expect(pods.filter(({ nodeName }) => !names.has(nodeName))).toEqual([]);
  const ipsOf = new Map(pods.map((pod) => [`pod/${pod.namespace}/${pod.name}`, pod.podIPs]));
  for (const { endpoints } of endpointSlices) {
    for (const { address, targetRef } of endpoints) {
      const podIPs = ipsOf.get(targetRef ?? "");
      if (podIPs !== undefined) expect(podIPs).toContain(address);
    }
  }
}

describe.skipIf(note !== "")(`real manifests${note}`, () => {
  const manifests = filesIn("manifests");
  const plain = manifests.filter((path) => /\.ya?ml(\.gz)?$/.test(path));

  skipWithout(plain, join(shared, "manifests"));

  it.each(plain.map((path) => [relative(shared, path), path]))("load: %s", (_, path) => {
    const cluster = load(path);
    expectSound(cluster);
    expect(cluster.nodes.length).toBeGreaterThan(0);
  });

  it("are more than a few", () => {
    expect(plain.length).toBeGreaterThan(10);
  });

  it("give a frontend Service with endpoints on some Node", () => {
    const frontends = plain
      .filter((path) => /boutique/.test(path))
      .flatMap((path) => {
        const { services, endpointSlices } = load(path);
        return services
          .filter(({ name }) => name === "frontend")
          .map(({ name, namespace }) =>
            endpointSlices.filter((slice) => slice.serviceName === name && slice.namespace === namespace),
          );
      });
    expect(frontends.length).toBeGreaterThan(0);
    for (const slices of frontends) {
      expect(
        slices.flatMap(({ endpoints }) => endpoints).filter(({ nodeName }) => nodeName !== undefined),
      ).not.toEqual([]);
    }
  });

  it.each([
    "manifests",
    "kube-router-ipset",
    "popeye-lists",
    "netpol-connectivity",
    "networkpolicies",
    "gateway-api",
    "metallb-config",
  ])("load or are refused in words, never otherwise: %s", (folder) => {
    let loaded = 0;
    for (const path of filesIn(folder)) {
      const cluster = loadOrRefuse(path);
      if (cluster === undefined) continue;
      expectSound(cluster);
      loaded++;
    }
    expect(loaded).toBeGreaterThan(0);
  });

  it("are refused or loaded in whatever place they are cut off", () => {
    const [path] = plain.filter((name) => /boutique/.test(name));
    if (path === undefined) return;
    const text = readFileSync(path, "utf8");
    for (let share = 1; share < 40; share++) {
      const cut = text.slice(0, Math.floor((text.length * share) / 40));
      try {
        expectSound(buildCluster(parseManifests([{ file: "cut.yaml", text: cut }])));
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }
  });
});
