import type { Family } from "../net/ip.js";
import { hostPrefix } from "../net/prefix.js";
import type { Chain, Match, Rule, Target } from "../ruleset/iptables.js";
import { hash16 } from "./chain-name.js";
import { chainsAmong, endpointChains } from "./endpoint-chains.js";
import type { ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { type IptablesDraft, MARK_MASQ, type ServicePlan } from "./iptables-draft.js";
import { commented, from, jump, notFromPods, protocolWithModule, service } from "./rules.js";

/**
 * The kernel's threshold for a choice among n that is left to this rule with probability 1/n: kube-proxy hands
 * over ten decimals, iptables rounds them to 31 bits. The rule hits if (random & 0x7fffffff) < threshold.
 */
export function threshold(n: number): number {
  return Math.round(Number((1 / n).toFixed(10)) * 2 ** 31);
}

const ALWAYS: readonly Match[] = [];
const statistics: (readonly Match[])[] = [];

function oneOf(n: number): readonly Match[] {
  const known = statistics[n];
  if (known !== undefined) return known;
  const made: readonly Match[] = n === 1 ? ALWAYS : [{ kind: "statistic", threshold: threshold(n) }];
  statistics[n] = made;
  return made;
}

function ruleOf(comment: string | undefined, matches: readonly Match[], target: Target): Rule {
  return comment === undefined ? { matches, target } : { matches, comment, target };
}

/** Independent draws, each among what is left: every endpoint is as likely as any other. */
function balancing(
  { endpointComments }: IptablesDraft,
  name: string,
  chosen: readonly ProxyEndpoint[],
  chains: readonly Chain[],
): Rule[] {
  return chains.map((chain, index) => {
    const comment = endpointComments ? `${name} -> ${chosen[index]?.name}` : undefined;
    return ruleOf(comment, oneOf(chains.length - index), jump(chain.name));
  });
}

/**
 * A client's source address in an endpoint's list, which is called as the endpoint's chain is: all addresses of the
 * Service port share it.
 */
function recent(family: Family, chain: string, op: "set" | "rcheck"): Extract<Match, { kind: "recent" }> {
  const mask = family === 4 ? 0xffffffff : (1n << 128n) - 1n;
  return { kind: "recent", op, name: chain, side: "source", mask };
}

/** Clients go where they went before, each endpoint asked in turn: what is asked does not restart the time. */
function sticking(
  out: IptablesDraft,
  { name, affinitySeconds: seconds }: Frontend,
  chosen: readonly ProxyEndpoint[],
  chains: readonly Chain[],
): readonly Rule[] {
  if (seconds === undefined) return [];
  return chains.map((chain, index) => {
    const comment = out.endpointComments ? `${name} -> ${chosen[index]?.name}` : undefined;
    const known: Match = { ...recent(out.family, chain.name, "rcheck"), seconds, reap: true };
    return ruleOf(comment, [known], jump(chain.name));
  });
}

/** KUBE-SEP-: an endpoint that reaches itself is masqueraded, lest it answer itself past the node. */
function endpointChain(out: IptablesDraft, frontend: Frontend, endpoint: ProxyEndpoint): Chain {
  const { name, protocol, affinitySeconds } = frontend;
  const comment = out.endpointComments ? name : undefined;
  const { address, port } = endpoint;
  const chain = hash16(name, protocol, endpoint.name, "KUBE-SEP-");
  const matches =
    affinitySeconds === undefined
      ? protocolWithModule(protocol)
      : protocolWithModule(protocol, recent(out.family, chain, "set"));
  return {
    name: chain,
    rules: [
      ruleOf(comment, [from(hostPrefix(address))], MARK_MASQ),
      ruleOf(comment, matches, { kind: "dnat", address, port }),
    ],
  };
}

/** The rule at the head of the chain that ClusterIP traffic enters: who is masqueraded there. */
function internalHead(out: IptablesDraft, { name, clusterIP, protocol, port }: Frontend): Rule[] {
  const { masqueradeAll, localPods } = out;
  if (!masqueradeAll && localPods === undefined) return [];
  const [destination, ...ports] = service(clusterIP, protocol, port);
  const outsiders = masqueradeAll || localPods === undefined ? [] : [notFromPods(localPods)];
  // In the order of the listing: a source stands before the destination, an interface behind it.
  const isSource = localPods?.kind === "source";
  const ends = isSource ? [...outsiders, destination] : [destination, ...outsiders];
  return [commented(`${name} cluster IP`, [...ends, ...ports], MARK_MASQ)];
}

/** The chains of both policies and of every endpoint within reach. */
export function writeEndpoints(out: IptablesDraft, plan: ServicePlan): void {
  const { frontend, endpoints } = plan;
  const { name, internalPolicyLocal } = frontend;
  const { reachable } = endpoints;
  const own = endpointChains(frontend, reachable, out.before, (endpoint) =>
    endpointChain(out, frontend, endpoint),
  );
  out.endpointChains.push(own);
  const write = (chain: string, chosen: readonly ProxyEndpoint[] = [], entered: boolean) => {
    if (chosen.length === 0) return;
    const rules = entered ? internalHead(out, frontend) : [];
    const among = chainsAmong(chosen, reachable, own.chains);
    const ways = balancing(out, name, chosen, among);
    out.chains.push({ name: chain, rules: rules.concat(sticking(out, frontend, chosen, among), ways) });
  };
  write(plan.clusterChain, endpoints.cluster, !internalPolicyLocal);
  write(plan.localChain, endpoints.local, internalPolicyLocal);
  for (const chain of own.chains) out.chains.push(chain);
}
