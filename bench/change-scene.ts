import { compile } from "../src/compile.js";
import { syntheticCluster } from "../src/model/synthetic.js";
import { prefixOf } from "../src/net/prefix.js";
import type { RulesetChange } from "../src/ruleset/change.js";
import type { Chain } from "../src/ruleset/iptables.js";
import type { AddressedServer } from "../src/ruleset/ipvs.js";
import type { NftChain } from "../src/ruleset/nftables.js";
import type { Route } from "../src/ruleset/routes.js";
import type { ProxyMode, Ruleset } from "../src/ruleset/ruleset.js";

/** A change and what takes it back. */
export interface Toggle {
  readonly kind: string;
  readonly there: RulesetChange;
  readonly back: RulesetChange;
}

export interface SceneSize {
  readonly services: number;
  readonly endpoints: number;
  readonly routes: number;
}

const GATEWAYS = 64;
const FIRST_GATEWAY = 0xac120080;
/** Lengths of prefixes, about as often as in a full table. */
const LENGTHS = [24, 24, 24, 24, 24, 24, 22, 22, 23, 23, 20, 21, 19, 18, 16, 17];
const THRESHOLDS = 2 ** 31;

/** Numbers below a bound, the same on every run. */
export function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** So many routes to random prefixes by a few gateways. */
function randomRoutes(count: number): Route[] {
  const draw = drawing(11);
  const seen = new Set<number>();
  const routes: Route[] = [];
  while (routes.length < count) {
    const length = LENGTHS[draw(LENGTHS.length)] as number;
    const prefix = prefixOf(0x0b000000 + draw(0xd0000000), length);
    const key = Number(prefix.address) * 64 + length;
    if (seen.has(key)) continue;
    seen.add(key);
    routes.push({ prefix, dev: "eth0", via: FIRST_GATEWAY + draw(GATEWAYS) });
  }
  return routes;
}

/** A node of a synthetic cluster that also routes to the world. */
export function changeScene({ services, endpoints, routes }: SceneSize, proxy: ProxyMode): Ruleset {
  const ruleset = compile(syntheticCluster({ services, endpoints, seed: 1 }), { proxy });
  const gateways = Array.from({ length: GATEWAYS }, (_, index) => ({
    address: FIRST_GATEWAY + index,
    dev: "eth0",
    mac: 0x024200000000 + index,
  }));
  return {
    ...ruleset,
    routes: [...ruleset.routes, ...randomRoutes(routes)],
    neighbours: [...ruleset.neighbours, ...gateways],
  };
}

type Draw = (below: number) => number;

function routeToggle(ruleset: Ruleset, draw: Draw): Toggle {
  const route = ruleset.routes[draw(ruleset.routes.length)] as Route;
  const set = (one: Route) => [{ kind: "route-set", route: one } as const];
  if (draw(2) === 0)
    return {
      kind: "route removed, added",
      there: [{ kind: "route-removed", prefix: route.prefix }],
      back: set(route),
    };
  const other = { ...route, via: FIRST_GATEWAY + draw(GATEWAYS) };
  return { kind: "route changed", there: set(other), back: set(route) };
}

/** A route that covers much, and nothing that was there. */
export function wideRoute(length: number): Toggle {
  const prefix = prefixOf(0x64000000, length);
  return {
    kind: `route to a /${length} added, removed`,
    there: [{ kind: "route-set", route: { prefix, dev: "eth0", via: FIRST_GATEWAY } }],
    back: [{ kind: "route-removed", prefix }],
  };
}

/** The route to everything, by another gateway and back. */
function defaultRoute({ routes }: Ruleset): readonly Toggle[] {
  const route = routes.find(({ prefix }) => prefix.length === 0);
  if (route === undefined) return [];
  const there = { ...route, via: FIRST_GATEWAY };
  return [
    {
      kind: "route to a /0 changed",
      there: [{ kind: "route-set", route: there }],
      back: [{ kind: "route-set", route }],
    },
  ];
}

class IptablesScene {
  readonly #chains: ReadonlyMap<string, Chain>;
  readonly #services: Chain;
  readonly #positions: readonly number[];

  constructor({ iptables }: Ruleset) {
    const chains = iptables?.tables.find(({ name }) => name === "nat")?.chains ?? [];
    this.#chains = new Map(chains.map((chain) => [chain.name, chain]));
    this.#services = this.#chain("KUBE-SERVICES");
    this.#positions = this.#services.rules.flatMap(({ target }, index) =>
      target !== undefined && "chain" in target && target.chain.startsWith("KUBE-SVC-") ? [index] : [],
    );
  }

  service(draw: Draw, position = this.#positions[draw(this.#positions.length)] as number): Toggle {
    const rule = this.#services.rules[position] as Chain["rules"][number];
    const own = this.#chain(targetOf(rule));
    const seps = own.rules
      .filter((one) => targetOf(one).startsWith("KUBE-SEP-"))
      .map((one) => this.#chain(targetOf(one)));
    const splice = (removed: number, rules: Chain["rules"]) =>
      ({
        kind: "rules-spliced",
        table: "nat",
        chain: "KUBE-SERVICES",
        at: position,
        removed,
        rules,
      }) as const;
    return {
      kind: "Service removed, added",
      there: [
        splice(1, []),
        ...[own, ...seps].map(({ name }) => ({ kind: "chain-removed", table: "nat", name }) as const),
      ],
      back: [
        ...[own, ...seps].map((chain) => ({ kind: "chain-set", table: "nat", chain }) as const),
        splice(0, [rule]),
      ],
    };
  }

  get first(): number {
    return this.#positions[0] as number;
  }

  endpoint(draw: Draw): Toggle {
    const rule = this.#services.rules[
      this.#positions[draw(this.#positions.length)] as number
    ] as Chain["rules"][number];
    const own = this.#chain(targetOf(rule));
    const first = own.rules.findIndex((one) => targetOf(one).startsWith("KUBE-SEP-"));
    const jumps = own.rules.slice(first);
    const gone = draw(jumps.length);
    const left = jumps
      .filter((_, index) => index !== gone)
      .map((one, index, all) => ({
        ...one,
        matches:
          index === all.length - 1
            ? one.matches.filter(({ kind }) => kind !== "statistic")
            : one.matches.map((match) =>
                match.kind === "statistic"
                  ? { ...match, threshold: Math.round(THRESHOLDS / (all.length - index)) }
                  : match,
              ),
      }));
    const chain = this.#chain(targetOf(jumps[gone] as Chain["rules"][number]));
    const splice = (removed: number, rules: Chain["rules"]) =>
      ({ kind: "rules-spliced", table: "nat", chain: own.name, at: first, removed, rules }) as const;
    return {
      kind: "endpoint removed, added",
      there: [splice(jumps.length, left), { kind: "chain-removed", table: "nat", name: chain.name }],
      back: [{ kind: "chain-set", table: "nat", chain }, splice(left.length, jumps)],
    };
  }

  #chain(name: string): Chain {
    return this.#chains.get(name) as Chain;
  }
}

function targetOf({ target }: Chain["rules"][number]): string {
  return target !== undefined && "chain" in target ? target.chain : "";
}

class IpvsScene {
  readonly #ruleset: Ruleset;
  readonly #local: ReadonlySet<string>;

  constructor(ruleset: Ruleset) {
    this.#ruleset = ruleset;
    const loop = ruleset.ipsets?.find(({ name }) => name === "KUBE-LOOP-BACK")?.entries ?? [];
    this.#local = new Set(loop.map(({ ip, port }) => `${ip} ${port}`));
  }

  service(draw: Draw): Toggle {
    const server = this.#draw(draw);
    const { protocol, address, port } = server;
    const entry = { ip: address, protocol, port };
    return {
      kind: "Service removed, added",
      there: [
        { kind: "server-removed", protocol, address, port },
        { kind: "ipset-removed", set: "KUBE-CLUSTER-IP", entry },
        { kind: "address-removed", dev: "kube-ipvs0", address },
      ],
      back: [
        { kind: "address-added", dev: "kube-ipvs0", address: { address, length: 32 } },
        { kind: "ipset-added", set: "KUBE-CLUSTER-IP", entry },
        { kind: "server-set", server },
      ],
    };
  }

  endpoint(draw: Draw): Toggle {
    const server = this.#draw(draw);
    const gone = server.servers[draw(server.servers.length)];
    const servers = server.servers.filter((one) => one !== gone);
    const entry = {
      ip: gone?.address ?? 0,
      protocol: "TCP",
      port: gone?.port ?? 0,
      ip2: gone?.address ?? 0,
    } as const;
    const isLocal = this.#local.has(`${entry.ip} ${entry.port}`);
    const steps = (kind: "ipset-added" | "ipset-removed") =>
      isLocal ? [{ kind, set: "KUBE-LOOP-BACK", entry }] : [];
    return {
      kind: "endpoint removed, added",
      there: [{ kind: "server-set", server: { ...server, servers } }, ...steps("ipset-removed")],
      back: [{ kind: "server-set", server }, ...steps("ipset-added")],
    };
  }

  #draw(draw: Draw) {
    const servers = this.#ruleset.ipvs?.servers ?? [];
    return servers[draw(servers.length)] as AddressedServer;
  }
}

class NftScene {
  readonly #chains: ReadonlyMap<string, NftChain>;
  readonly #ruleset: Ruleset;

  constructor(ruleset: Ruleset) {
    this.#ruleset = ruleset;
    this.#chains = new Map((ruleset.nftables?.chains ?? []).map((chain) => [chain.name, chain]));
  }

  service(draw: Draw): Toggle {
    const { element, chain, endpoints } = this.#draw(draw);
    const chains = [chain, ...endpoints];
    const address = { set: "cluster-ips", address: element.address ?? 0 };
    return {
      kind: "Service removed, added",
      there: [
        { kind: "nft-element-removed", map: "service-ips", element },
        { kind: "nft-address-removed", ...address },
        ...chains.map(({ name }) => ({ kind: "nft-chain-removed", name }) as const),
      ],
      back: [
        ...chains.map((one) => ({ kind: "nft-chain-set", chain: one }) as const),
        { kind: "nft-address-added", ...address },
        { kind: "nft-element-set", map: "service-ips", element },
      ],
    };
  }

  endpoint(draw: Draw): Toggle {
    const { chain, endpoints } = this.#draw(draw);
    const gone = endpoints[draw(endpoints.length)] as NftChain;
    const rules = chain.rules.map((rule) => ({
      ...rule,
      statements: rule.statements.map((one) =>
        one.kind === "numgen-vmap"
          ? { ...one, chains: one.chains.filter((name) => name !== gone.name) }
          : one,
      ),
    }));
    return {
      kind: "endpoint removed, added",
      there: [
        { kind: "nft-chain-set", chain: { ...chain, rules } },
        { kind: "nft-chain-removed", name: gone.name },
      ],
      back: [
        { kind: "nft-chain-set", chain: gone },
        { kind: "nft-chain-set", chain },
      ],
    };
  }

  #draw(draw: Draw) {
    const elements = this.#ruleset.nftables?.maps.find(({ name }) => name === "service-ips")?.elements ?? [];
    const element = elements[draw(elements.length)] as (typeof elements)[number];
    const chain = this.#chains.get("chain" in element.verdict ? element.verdict.chain : "") as NftChain;
    const names = chain.rules.flatMap(({ statements }) =>
      statements.flatMap((one) => (one.kind === "numgen-vmap" ? one.chains : [])),
    );
    return { element, chain, endpoints: names.map((name) => this.#chains.get(name) as NftChain) };
  }
}

/** Changes drawn alike often of routes, endpoints and Services; and the worst that the mode has. */
export interface Drawer {
  readonly toggle: () => Toggle;
  readonly worst: readonly Toggle[];
}

export function changesOf(ruleset: Ruleset, seed: number): Drawer {
  const draw = drawing(seed);
  const scene =
    ruleset.ipvs !== undefined
      ? new IpvsScene(ruleset)
      : ruleset.nftables !== undefined
        ? new NftScene(ruleset)
        : new IptablesScene(ruleset);
  const kinds = [() => routeToggle(ruleset, draw), () => scene.endpoint(draw), () => scene.service(draw)];
  const head =
    scene instanceof IptablesScene
      ? [{ ...scene.service(draw, scene.first), kind: "Service at KUBE-SERVICES' head removed, added" }]
      : [];
  return {
    toggle: () => (kinds[draw(kinds.length)] as () => Toggle)(),
    worst: [...defaultRoute(ruleset), ...[1, 8, 12].map(wideRoute), ...head],
  };
}
