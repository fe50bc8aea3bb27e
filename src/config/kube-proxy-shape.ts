import { anything, duration, flag, hostPort, portRange, type Shape, text, texts, whole } from "./shape.js";

const SYNC = { syncPeriod: duration, minSyncPeriod: duration } as const;
const MARK = { masqueradeBit: whole(0, 31), masqueradeAll: flag } as const;
const BUFFER = { splitStream: flag, infoBufferSize: anything } as const;

/** KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1, 1.31 to 1.35: every field there is. */
export const KUBE_PROXY_SHAPE: Shape = {
  apiVersion: text,
  kind: text,
  featureGates: anything,
  clientConnection: {
    kubeconfig: text,
    acceptContentTypes: text,
    contentType: text,
    qps: anything,
    burst: whole(0),
  },
  logging: {
    format: text,
    flushFrequency: anything,
    verbosity: whole(0),
    vmodule: anything,
    options: { text: BUFFER, json: BUFFER },
  },
  hostnameOverride: text,
  bindAddress: text,
  healthzBindAddress: hostPort,
  metricsBindAddress: hostPort,
  bindAddressHardFail: flag,
  enableProfiling: flag,
  showHiddenMetricsForVersion: text,
  mode: text,
  iptables: { ...MARK, localhostNodePorts: flag, ...SYNC },
  ipvs: {
    ...SYNC,
    scheduler: text,
    excludeCIDRs: texts,
    strictARP: flag,
    tcpTimeout: duration,
    tcpFinTimeout: duration,
    udpTimeout: duration,
  },
  nftables: { ...MARK, ...SYNC },
  winkernel: {
    networkName: text,
    sourceVip: text,
    enableDSR: flag,
    rootHnsEndpointName: text,
    forwardHealthCheckVip: flag,
  },
  detectLocalMode: text,
  detectLocal: { bridgeInterface: text, interfaceNamePrefix: text },
  clusterCIDR: text,
  nodePortAddresses: texts,
  oomScoreAdj: whole(-1000, 1000),
  conntrack: {
    max: anything,
    maxPerCore: whole(0),
    min: whole(0),
    tcpEstablishedTimeout: duration,
    tcpCloseWaitTimeout: duration,
    tcpBeLiberal: flag,
    udpTimeout: duration,
    udpStreamTimeout: duration,
  },
  configSyncPeriod: duration,
  portRange,
  windowsRunAsService: flag,
  udpIdleTimeout: duration,
  resourceContainer: text,
};

/** Fields of which one might think that they change something here, where they are set, and why they do not. */
export const WITHOUT_EFFECT: readonly (readonly [path: readonly string[], reason: string])[] = [
  [["ipvs", "excludeCIDRs"], "kube-proxy leaves virtual servers of others there, and there are none here"],
  [["conntrack", "maxPerCore"], "an engine holds as many connections as it is asked to"],
  [["conntrack", "min"], "an engine holds as many connections as it is asked to"],
  ...["iptables", "ipvs", "nftables"].flatMap((mode) =>
    ["syncPeriod", "minSyncPeriod"].map((name) => [[mode, name], "rules follow changes at once"] as const),
  ),
  [["configSyncPeriod"], "rules follow changes at once"],
  [["healthzBindAddress"], "kube-proxy is taken to be healthy"],
  [["portRange"], "kube-proxy passes it over, too"],
  [["winkernel"], "nodes run Linux"],
];

/** Fields that were gone before 1.31, by their parts: nothing reads them any more. */
export const OUTDATED: readonly (readonly string[])[] = [
  ["udpIdleTimeout"],
  ["resourceContainer"],
  ["conntrack", "max"],
];
