import { hostPrefix, prefixContains } from "../net/prefix.js";
import type { Chain, Match, Rule } from "../ruleset/iptables.js";
import { type IptablesDraft, MARK_MASQ, place, type ServicePlan } from "./iptables-draft.js";
import { writeEndpoints } from "./iptables-endpoints.js";
import { LOOPBACK } from "./local-traffic.js";
import {
  ACCEPT,
  commented,
  DROP,
  DST_LOCAL,
  dport,
  fromNetwork,
  fromPods,
  jump,
  nfacct,
  protocol,
  rule,
  SRC_LOCAL,
  service,
  to,
} from "./rules.js";

/** nat KUBE-SERVICES leads packets to the ClusterIP on, or filter refuses them. */
function writeClusterIP(out: IptablesDraft, { frontend, hasInternal, refusal, ...plan }: ServicePlan): void {
  const { name, clusterIP, port } = frontend;
  const matches = service(clusterIP, frontend.protocol, port);
  const [why, refuse] = refusal;
  if (!hasInternal) {
    place(out, "filter KUBE-SERVICES", commented(why, matches, refuse));
    return;
  }
  const chain = frontend.internalPolicyLocal ? plan.localChain : plan.clusterChain;
  place(out, "nat KUBE-SERVICES", commented(`${name} cluster IP`, matches, jump(chain)));
}

function writeExternalIPs(
  out: IptablesDraft,
  { frontend, endpoints, hasExternal, refusal, externalChain }: ServicePlan,
): void {
  for (const ip of frontend.externalIPs) {
    const matches = service(ip, frontend.protocol, frontend.port);
    if (endpoints.hasAny) {
      place(
        out,
        "nat KUBE-SERVICES",
        commented(`${frontend.name} external IP`, matches, jump(externalChain)),
      );
    }
    if (!hasExternal) place(out, "filter KUBE-EXTERNAL-SERVICES", commented(refusal[0], matches, refusal[1]));
  }
}

function writeVips(out: IptablesDraft, plan: ServicePlan): void {
  const { frontend, endpoints, usesFirewall, firewallChain, externalChain } = plan;
  const { name } = frontend;
  for (const ip of frontend.vips) {
    const matches = service(ip, frontend.protocol, frontend.port);
    if (endpoints.hasAny) {
      const chain = usesFirewall ? firewallChain : externalChain;
      place(out, "nat KUBE-SERVICES", commented(`${name} loadbalancer IP`, matches, jump(chain)));
    }
    if (usesFirewall) {
      const comment = `${name} traffic not accepted by ${firewallChain}`;
      place(out, "filter KUBE-PROXY-FIREWALL", commented(comment, matches, DROP));
    }
    if (!plan.hasExternal) {
      place(out, "filter KUBE-EXTERNAL-SERVICES", commented(plan.refusal[0], matches, plan.refusal[1]));
    }
  }
}

function writeNodePort(out: IptablesDraft, plan: ServicePlan): void {
  const { frontend, externalChain, refusal } = plan;
  if (frontend.nodePort !== 0) {
    const ports: readonly [Match, Match] = [protocol(frontend.protocol), dport(frontend.nodePort)];
    if (plan.endpoints.hasAny) {
      const onward = (matches: readonly Match[]) => commented(frontend.name, matches, jump(externalChain));
      const counted = [to(LOOPBACK[4]), ...ports, nfacct("localhost_nps_accepted_pkts")];
      if (out.countsLocalhost) place(out, "nat KUBE-NODEPORTS", onward(counted));
      place(out, "nat KUBE-NODEPORTS", onward(ports));
    }
    if (!plan.hasExternal) {
      const matches = [ports[0], DST_LOCAL, ports[1]];
      place(out, "filter KUBE-EXTERNAL-SERVICES", commented(refusal[0], matches, refusal[1]));
    }
  }
  if (frontend.healthCheckNodePort !== 0) {
    const matches = [protocol("TCP"), dport(frontend.healthCheckNodePort)];
    place(
      out,
      "filter KUBE-NODEPORTS",
      commented(`${frontend.name} health check node port`, matches, ACCEPT),
    );
  }
}

/** KUBE-EXT-: external destinations, masqueraded and on to the chain of their policy. */
function externalChain(out: IptablesDraft, plan: ServicePlan): Chain {
  const { frontend, clusterChain, localChain, externalChain: name } = plan;
  const destinations = `for ${frontend.name} external destinations`;
  const rules: Rule[] = [];
  if (!frontend.externalPolicyLocal) {
    rules.push(commented(`masquerade traffic ${destinations}`, [], MARK_MASQ));
  } else {
    // Pods and the node itself are not held to local endpoints: their way leads to any.
    if (out.localPods !== undefined) {
      rules.push(commented(`pod traffic ${destinations}`, fromPods(out.localPods), jump(clusterChain)));
    }
    rules.push(
      commented(`masquerade LOCAL traffic ${destinations}`, [SRC_LOCAL], MARK_MASQ),
      commented(`route LOCAL traffic ${destinations}`, [SRC_LOCAL], jump(clusterChain)),
    );
  }
  if (plan.hasExternal) rules.push(rule([], jump(frontend.externalPolicyLocal ? localChain : clusterChain)));
  return { name, rules };
}

/** KUBE-FW-: who may reach the VIPs. Others come back untranslated, to be dropped by filter. */
function firewallChain(
  { nodeIp }: IptablesDraft,
  { frontend, firewallChain: chain, ...plan }: ServicePlan,
): Chain {
  const { name, sourceRanges, vips } = frontend;
  const admit = (prefix: (typeof sourceRanges)[number]) =>
    commented(`${name} loadbalancer IP`, fromNetwork(prefix), jump(plan.externalChain));
  // The node's own packets to a VIP that is one of its addresses have the VIP as their source.
  const fromNode = nodeIp !== undefined && sourceRanges.some((range) => prefixContains(range, nodeIp));
  const others = { matches: [], comment: `other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL` };
  const own = fromNode ? vips.map((vip) => admit(hostPrefix(vip))) : [];
  return { name: chain, rules: [...sourceRanges.map(admit), ...own, others] };
}

/** Every rule of one service port. */
export function writeService(out: IptablesDraft, plan: ServicePlan): void {
  writeClusterIP(out, plan);
  writeExternalIPs(out, plan);
  writeVips(out, plan);
  writeNodePort(out, plan);
  if (plan.endpoints.hasAny && plan.frontend.externallyAccessible) out.chains.push(externalChain(out, plan));
  if (plan.usesFirewall) out.chains.push(firewallChain(out, plan));
  writeEndpoints(out, plan);
}
