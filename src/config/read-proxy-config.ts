import type { Field } from "../model/fields.js";
import { familyOf, type Ip } from "../net/ip.js";
import { type Prefix, parsePrefixLoose } from "../net/prefix.js";
import type { DetectLocal } from "../proxy/local-traffic.js";
import type { FeatureGates } from "../proxy/topology-hints.js";
import { SCHEDULERS } from "../ruleset/ipvs.js";
import { PROXY_MODES, type ProxyMode } from "../ruleset/ruleset.js";
import { parseDuration } from "./duration.js";
import { KUBE_PROXY_SHAPE, OUTDATED, WITHOUT_EFFECT } from "./kube-proxy-shape.js";
import {
  type ConntrackConfig,
  DEFAULT_CONNTRACK,
  type IpvsConfig,
  type MasqueradeConfig,
  type ProxyConfig,
} from "./proxy-config.js";
import { checkShape, durationOf } from "./shape.js";

const DETECT_MODES = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"] as const;
/** Gates that change what is compiled. */
const HEEDED_GATES: readonly string[] = [
  "PreferSameTrafficDistribution",
  "TopologyAwareHints",
  "ServiceTrafficDistribution",
  "AllAlpha",
  "AllBeta",
];

function readGates(gates: Field): FeatureGates {
  const read: Record<string, boolean> = {};
  for (const name of gates.names()) {
    read[name] = gates.at(name).flag();
    if (!HEEDED_GATES.includes(name))
      gates.at(name).note("is passed over: it changes nothing that is modelled.");
  }
  return read;
}

/** Networks whose host bits are let pass, as kube-proxy does. */
function readPrefixes(fields: readonly Field[]): readonly Prefix[] {
  return fields.map((field) => field.loosePrefix()).filter((prefix) => prefix !== undefined);
}

function readNodePortAddresses(list: Field): readonly Prefix[] | "primary" {
  const items = list.items();
  const primary = items.find((item) => item.text() === "primary");
  if (primary === undefined) return readPrefixes(items);
  if (items.length > 1)
    primary.error("«primary» stands alone or not at all: leave it, or the networks beside it.");
  return "primary";
}

/** One network, or one of each family with a comma between. */
function readClusterCIDR(field: Field): readonly Prefix[] {
  const given = field.text() ?? "";
  if (given === "") return [];
  const prefixes = given.split(",").map((part) => parsePrefixLoose(part.trim()));
  const found = prefixes.filter((prefix) => prefix !== undefined);
  const families = new Set(found.map(({ address }) => familyOf(address)));
  if (found.length === prefixes.length && families.size === prefixes.length) return found;
  field.error(
    `«${given}» is neither one network nor one of each family, such as 10.244.0.0/16,fd00:10:244::/56.`,
  );
  return [];
}

function readInterface(field: Field, mode: string): string {
  const name = field.text() ?? "";
  if (name === "") field.error(`is missing: detectLocalMode ${mode} takes its interfaces from there.`);
  return name;
}

function readDetectLocal(config: Field): DetectLocal {
  const detect = config.at("detectLocal");
  const mode = config.at("detectLocalMode").oneOf(DETECT_MODES, "ClusterCIDR");
  switch (mode) {
    case "NodeCIDR":
      return "NodeCIDR";
    case "BridgeInterface":
      return { bridgeInterface: readInterface(detect.at("bridgeInterface"), mode) };
    case "InterfaceNamePrefix":
      return { interfaceNamePrefix: readInterface(detect.at("interfaceNamePrefix"), mode) };
    case "ClusterCIDR": {
      const field = config.at("clusterCIDR");
      const prefixes = readClusterCIDR(field);
      if (prefixes.length > 0) return prefixes;
      field.warning("names no network: kube-proxy cannot tell local Pods from others.");
      return "none";
    }
  }
}

function readNodeIP(field: Field): Ip | undefined {
  if ((field.text() ?? "") === "") return undefined;
  const ip = field.ip();
  return ip === 0 || ip === 0n ? undefined : ip;
}

/** bool and *int32 of Go: what is not there has its default. */
const flagOr = (field: Field, fallback: boolean) => (field.present ? field.flag() : fallback);

function readMasquerade(field: Field): MasqueradeConfig {
  return {
    masqueradeBit: field.at("masqueradeBit").integer(0, 31) ?? 14,
    masqueradeAll: field.at("masqueradeAll").flag(),
  };
}

/** kube-proxy takes any name, and tries it in the kernel once it runs in mode ipvs. */
function readScheduler(field: Field): Pick<IpvsConfig, "scheduler" | "unknownScheduler"> {
  const name = field.text() || "rr";
  const scheduler = SCHEDULERS.find((one) => one === name);
  if (scheduler !== undefined) return { scheduler };
  const message = `«${name}» is none of ${SCHEDULERS.join(", ")}: kube-proxy does not start in mode ipvs with it.`;
  return { scheduler: "rr", unknownScheduler: { severity: "error", place: field.place, message } };
}

function readIpvs(field: Field): IpvsConfig {
  return {
    ...readScheduler(field.at("scheduler")),
    excludeCIDRs: readPrefixes(field.at("excludeCIDRs").items()),
    strictARP: field.at("strictARP").flag(),
    tcpTimeout: durationOf(field.at("tcpTimeout")) ?? 0,
    tcpFinTimeout: durationOf(field.at("tcpFinTimeout")) ?? 0,
    udpTimeout: durationOf(field.at("udpTimeout")) ?? 0,
  };
}

function readConntrack(field: Field): ConntrackConfig {
  const fallback = DEFAULT_CONNTRACK;
  const count = (name: "maxPerCore" | "min") => field.at(name).integer(0, 2 ** 31 - 1) ?? fallback[name];
  const seconds = (
    name: "tcpEstablishedTimeout" | "tcpCloseWaitTimeout" | "udpTimeout" | "udpStreamTimeout",
  ) => durationOf(field.at(name)) ?? fallback[name];
  return {
    maxPerCore: count("maxPerCore"),
    min: count("min"),
    tcpEstablishedTimeout: seconds("tcpEstablishedTimeout"),
    tcpCloseWaitTimeout: seconds("tcpCloseWaitTimeout"),
    tcpBeLiberal: field.at("tcpBeLiberal").flag(),
    udpTimeout: seconds("udpTimeout"),
    udpStreamTimeout: seconds("udpStreamTimeout"),
  };
}

/** kube-proxy waits this long where a period is 0 (v1alpha1's defaults); mode ipvs does not wait. */
const SYNC_SECONDS = 30;
const MIN_SYNC_SECONDS = 1;

/** Of the mode's own part, the only one that kube-proxy looks into. */
function checkPeriods(config: Field, mode: ProxyMode): void {
  const part = config.at(mode);
  const [most, least] = [part.at("syncPeriod"), part.at("minSyncPeriod")];
  const atMost = parseDuration(most.text() ?? "") || SYNC_SECONDS;
  const atLeast = parseDuration(least.text() ?? "") || (mode === "ipvs" ? 0 : MIN_SYNC_SECONDS);
  if (atLeast <= atMost) return;
  least.error(`is ${atLeast} s, more than syncPeriod's ${atMost} s: kube-proxy refuses that; make it less.`);
}

function noteWithoutEffect(config: Field): void {
  const at = (path: readonly string[]) => path.reduce((object, name) => object.at(name), config);
  for (const path of OUTDATED) {
    if (at(path).present) at(path).note("is of older versions: kube-proxy passes it over.");
  }
  for (const [path, reason] of WITHOUT_EFFECT) {
    if (!at(path).isZero) at(path).note(`changes nothing here: ${reason}.`);
  }
}

/** Reads a KubeProxyConfiguration; errors, also of fields that it does not have, go to the object's diagnostics. */
export function readProxyConfig(config: Field): Omit<ProxyConfig, "diagnostics"> {
  checkShape(config, KUBE_PROXY_SHAPE);
  noteWithoutEffect(config);
  const given = config.at("mode");
  const mode = (given.text() ?? "") === "" ? undefined : given.oneOf(PROXY_MODES, "iptables");
  checkPeriods(config, mode ?? "iptables");
  const name = config.at("hostnameOverride").text()?.trim().toLowerCase() ?? "";
  const iptables = config.at("iptables");
  return {
    mode,
    nodeName: name === "" ? undefined : name,
    nodeIP: readNodeIP(config.at("bindAddress")),
    featureGates: readGates(config.at("featureGates")),
    detectLocal: readDetectLocal(config),
    nodePortAddresses: readNodePortAddresses(config.at("nodePortAddresses")),
    iptables: {
      ...readMasquerade(iptables),
      localhostNodePorts: flagOr(iptables.at("localhostNodePorts"), true),
    },
    nftables: readMasquerade(config.at("nftables")),
    ipvs: readIpvs(config.at("ipvs")),
    conntrack: readConntrack(config.at("conntrack")),
  };
}
