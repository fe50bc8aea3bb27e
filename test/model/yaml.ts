import { InputError, printDiagnostic } from "../../src/diagnostics.js";
import { parseManifests } from "../../src/io/manifests.js";
import { buildCluster, type Cluster, type ClusterOptions } from "../../src/model/cluster.js";
import { printIp } from "../../src/net/ip.js";
import { printPrefix } from "../../src/net/prefix.js";

/** The cluster of a YAML text, which messages call `t.yaml`. */
export function clusterOf(yaml: string, options?: ClusterOptions): Cluster {
  return buildCluster(parseManifests([{ file: "t.yaml", text: yaml }]), options);
}

/** The sentences with which a YAML text is refused; fails for anything but an InputError. */
export function refusalOf(yaml: string, options?: ClusterOptions): readonly string[] {
  return sentencesOf(() => clusterOf(yaml, options));
}

export function sentencesOf(attempt: () => unknown): readonly string[] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof InputError) return error.diagnostics.map(printDiagnostic);
    throw error;
  }
  throw new Error("The input was not refused.");
}

/** What is told of a cluster, but for the Nodes that were made: most of these texts have none. */
export function notesOf(cluster: Cluster): readonly string[] {
  return cluster.diagnostics
    .map((diagnostic) => `${diagnostic.severity}: ${printDiagnostic(diagnostic)}`)
    .filter((note) => !note.startsWith("note: no Node is given"));
}

export function printNodes({ nodes }: Cluster): readonly string[] {
  return nodes.map(
    ({ name, internalIPs, podCIDRs }) =>
      `${name} ${internalIPs.map(printIp).join(",")} ${podCIDRs.map(printPrefix).join(",")}`,
  );
}

export function printPods({ pods }: Cluster): readonly string[] {
  return pods.map(
    ({ namespace, name, nodeName, podIPs }) =>
      `${namespace}/${name} ${nodeName} ${podIPs.map(printIp).join(",")}`,
  );
}

export function printServices({ services }: Cluster): readonly string[] {
  return services.map(({ namespace, name, type, clusterIPs, ports, loadBalancerIngress }) => {
    const nodePorts = ports.map(({ port, nodePort }) => (nodePort === 0 ? `${port}` : `${port}:${nodePort}`));
    const vips = loadBalancerIngress.map(({ ip }) => printIp(ip));
    return [
      `${namespace}/${name}`,
      type,
      clusterIPs.map(printIp).join(","),
      nodePorts.join(","),
      ...vips,
    ].join(" ");
  });
}

/** One line a slice: `shop/web http=8080/TCP: 10.244.1.2 10.244.2.2`; `!` stands before one that is not ready. */
export function printSlices({ endpointSlices }: Cluster): readonly string[] {
  return endpointSlices.map(({ namespace, serviceName, ports, endpoints }) => {
    const portTexts = ports.map(({ name, port, protocol }) => `${name}=${port}/${protocol}`);
    const addresses = endpoints.map(
      ({ address, conditions }) => `${conditions.ready === false ? "!" : ""}${printIp(address)}`,
    );
    return `${namespace}/${serviceName} ${portTexts.join(",")}: ${addresses.join(" ")}`.trim();
  });
}
