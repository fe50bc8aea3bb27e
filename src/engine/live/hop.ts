import type { Ip, Ip4 } from "../../net/ip.js";
import type { Mac } from "../../net/mac.js";
import { ipKey } from "../../ruleset/identity.js";
import type { Refusal } from "../../ruleset/route-types.js";

import type { Device } from "./device.js";

/**
 * What routes share: the node itself by a device's address, a device's own network, or what is behind an address on
 * a device; or nothing, by the type of routes that refuse packets. How it resolves changes with the neighbours, the FDB and, for a tunnel, the underlay's routes.
 */
export class Hop {
  number = -1;
  /** Routes that lead to it. */
  references = 0;
  /** Waits to be resolved. */
  isStale = false;
  /** What a tunnel depends on beside its own neighbour. */
  inner: Mac | undefined;
  remote: Ip4 | undefined;
  outer: { readonly device: Device; readonly via: Ip } | undefined;

  constructor(
    readonly type: "local" | "connected" | "via" | Refusal,
    readonly device: Device,
    readonly via: Ip | undefined,
  ) {}

  /** What a saved image knows it by. */
  get key(): string {
    return `${this.type} ${this.device.name} ${this.via === undefined ? "" : ipKey(this.via)}`;
  }
}
