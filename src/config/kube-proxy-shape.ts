import { anything, duration, flag, type Shape, text, texts, whole } from "./shape.js";

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
  healthzBindAddress: text,
  metricsBindAddress: text,
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
  portRange: text,
  windowsRunAsService: flag,
  udpIdleTimeout: duration,
  resourceContainer: text,
};

/** Fields that were gone before 1.31, by their parts: nothing reads them any more. */
export const OUTDATED: readonly (readonly string[])[] = [
  ["udpIdleTimeout"],
  ["resourceContainer"],
  ["conntrack", "max"],
];
