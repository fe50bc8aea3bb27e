import { expectArgument, expectObjects, expectOptions, isObject } from "./arguments.js";
import type { Addressing } from "./compile/addressing.js";
import type { CompileOptions } from "./compile/options.js";
import type { Proxied } from "./compile/proxied.js";
import { rulesetOf, type Target, targetOf } from "./compile/target.js";
import type { Diagnostic } from "./diagnostics.js";
import type { Fragment } from "./fragment/front-end.js";
import { Program } from "./fragment/program.js";
import { type ClusterChange, missing } from "./model/change.js";
import type { Cluster } from "./model/cluster.js";
import { expectCluster } from "./model/expect-cluster.js";
import { ByName, type ObjectName } from "./model/object-name.js";
import { type ServiceObjects, serviceObjects, withoutSlice, withSlice } from "./model/service-objects.js";
import { staleConnections, type TrackedConnection } from "./proxy/stale-connections.js";
import type { RulesetChange } from "./ruleset/change.js";
import type { Ruleset } from "./ruleset/ruleset.js";
import type { CountersOf } from "./ruleset/server-counters.js";

/** TypeError unless a change holds an object that is whole, as far as a list of it tells. */
function expectObject(value: unknown, field: string, list: string, give: string): void {
  const isWhole = isObject(value) && Array.isArray(value[list]);
  expectArgument(isWhole, value, `${field} of the change`, give);
}

/**
 * A cluster compiled for one of its nodes that follows the cluster's changes: each is told as a change of the
 * ruleset, in a time that depends on the Service concerned and not on how many others there are.
 */
export class Compilation {
  readonly #target: Target;
  readonly #given: readonly Diagnostic[];
  readonly #proxies: readonly Program<Fragment, Proxied>[];
  readonly #addressing: Program<Fragment, Addressing>;
  /** Which Service a slice names, by the slice's own name. */
  readonly #owners = new ByName<string>();
  /** Services that changed since connections were last cleaned, as they were. */
  #before = new ByName<ServiceObjects>();
  #ruleset: Ruleset | undefined;

  /** Takes what `compile` takes and refuses what it refuses. */
  constructor(cluster: Cluster, options: CompileOptions = {}) {
    expectCluster(cluster, "the cluster of a Compilation");
    expectOptions(options, "a Compilation");
    this.#target = targetOf(cluster, options);
    this.#given = cluster.diagnostics;
    const objects = serviceObjects(cluster);
    this.#proxies = this.#target.proxies.map((proxy) => new Program(proxy, objects));
    this.#addressing = new Program(this.#target.addressing, objects);
    for (const { namespace, name, serviceName } of cluster.endpointSlices) {
      this.#owners.set(namespace, name, serviceName);
    }
  }

  /**
   * The ruleset as it is now: what `compile` makes of the changed cluster; in mode ipvs with real servers in the order
   * in which they came, and those that left but are not idle yet. It is put together when asked for.
   */
  get ruleset(): Ruleset {
    this.#ruleset ??= rulesetOf(
      this.#target,
      { diagnostics: this.#given },
      this.#proxies.map(({ whole }) => whole),
      this.#addressing.whole,
    );
    return this.#ruleset;
  }

  /**
   * Follows a change of one object and tells what changes in the ruleset, also in its diagnostics. Throws InputError
   * for what is deleted but not there; nothing is changed then. In mode ipvs an endpoint of TCP that leaves stays with
   * weight 0, so that its connections live on: see `terminate`.
   */
  apply(change: ClusterChange): RulesetChange {
    const programs = [...this.#proxies, this.#addressing];
    const steps = this.#changed(change).flatMap((objects) => {
      this.#remember(objects);
      return programs.flatMap((program) => program.change(objects));
    });
    this.#ruleset = undefined;
    return steps;
  }

  /**
   * In mode ipvs, deletes endpoints that left and have no connection any more, and tells the steps; there are none in
   * other modes. kube-proxy does so after each change, and every minute. `countersOf`: of one virtual server, how many
   * connections its real ones have.
   */
  terminate(countersOf: CountersOf): RulesetChange {
    const isRight = typeof countersOf === "function";
    expectArgument(isRight, countersOf, "what terminate() asks", "serverCounters(engine, now)");
    const steps = this.#proxies.flatMap((program) => program.settle(countersOf));
    if (steps.length > 0) this.#ruleset = undefined;
    return steps;
  }

  /**
   * Of a node's connections those that kube-proxy deletes as it follows the changes that were applied since this was
   * last asked: of UDP, they would go on to endpoints that left, or to none.
   */
  staleConnections<C extends TrackedConnection>(connections: readonly C[]): readonly C[] {
    expectObjects(
      connections,
      "the connections of staleConnections()",
      "what engine.listConnections() answers",
    );
    const changes = Array.from(this.#before.values(), (before) => {
      return { before, after: this.#addressing.objectsOf(before) };
    });
    this.#before = new ByName();
    const { kubernetesVersion } = this.#target;
    return staleConnections(changes, () => this.#addressing.objects, connections, kubernetesVersion);
  }

  #remember({ namespace, name }: ObjectName): void {
    if (this.#before.get(namespace, name) !== undefined) return;
    this.#before.set(namespace, name, this.#addressing.objectsOf({ namespace, name }));
  }

  /** What becomes of the Services that a change concerns: two where a slice moves from one to another. */
  #changed(change: ClusterChange): readonly ServiceObjects[] {
    switch (change?.kind) {
      case "service-set": {
        const { service } = change;
        expectObject(service, "service", "ports", "what a cluster has among its services");
        return [{ ...this.#addressing.objectsOf(service), service }];
      }
      case "service-deleted": {
        const objects = this.#addressing.objectsOf(change);
        if (objects.service === undefined) throw missing("Service", change);
        return [{ ...objects, service: undefined }];
      }
      case "endpointslice-set": {
        const slice = change.endpointSlice;
        expectObject(slice, "endpointSlice", "endpoints", "what a cluster has among its endpointSlices");
        const { namespace, name, serviceName } = slice;
        const owner = this.#owners.get(namespace, name);
        const joined = withSlice(this.#addressing.objectsOf({ namespace, name: serviceName }), slice);
        if (owner === serviceName) return [joined];
        this.#owners.set(namespace, name, serviceName);
        if (owner === undefined) return [joined];
        return [withoutSlice(this.#addressing.objectsOf({ namespace, name: owner }), name), joined];
      }
      case "endpointslice-deleted": {
        const { namespace, name } = change;
        const owner = this.#owners.get(namespace, name);
        if (owner === undefined) throw missing("EndpointSlice", change);
        this.#owners.delete(namespace, name);
        return [withoutSlice(this.#addressing.objectsOf({ namespace, name: owner }), name)];
      }
      default:
        throw new TypeError("There is no change of that kind: see ClusterChange.");
    }
  }
}
