import { describe, expect, it } from "vitest";
import { printIp } from "../../src/net/ip.js";
import { clusterOf, notesOf, refusalOf } from "./yaml.js";

const service = (spec: string, metadata = "name: web, namespace: shop") =>
  `apiVersion: v1\nkind: Service\nmetadata: { ${metadata} }\nspec: ${spec}\n`;
const read = (spec: string) => clusterOf(service(spec)).services[0];
const refusal = (spec: string) =>
  refusalOf(service(spec)).map((sentence) => sentence.replace("t.yaml: document 1: Service shop/web: ", ""));

describe("a Service", () => {
  it("gets the API's defaults", () => {
    expect(read("{ clusterIP: 10.96.0.7, selector: { app: web }, ports: [{ port: 80 }] }")).toMatchObject({
      namespace: "shop",
      name: "web",
      type: "ClusterIP",
      selector: new Map([["app", "web"]]),
      clusterIPs: [0x0a600007],
      headless: false,
      ports: [{ name: "", protocol: "TCP", port: 80, nodePort: 0, targetPort: 80 }],
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      affinitySeconds: undefined,
      publishNotReadyAddresses: false,
      topologyMode: "",
      place: { file: "t.yaml", document: 1, object: "Service shop/web" },
    });
  });

  it("is warned of where it has fields that the API does not, with those that are near", () => {
    const spec = `{ clusterIP: 10.96.0.7, externalTraficPolicy: Local, trafficDistribution: PreferSameNode,
      colour: red, ports: [{ port: 80, appProtocol: http, targetport: 8080 }] }`;
    expect(notesOf(clusterOf(service(spec)))).toEqual([
      "warning: t.yaml: document 1: Service shop/web: spec.externalTraficPolicy: is no field of a v1 ServiceSpec, and changes nothing. Did you mean externalTrafficPolicy or internalTrafficPolicy?",
      "warning: t.yaml: document 1: Service shop/web: spec.colour: is no field of a v1 ServiceSpec, and changes nothing.",
      "warning: t.yaml: document 1: Service shop/web: spec.ports[0].targetport: is no field of a v1 ServicePort, and changes nothing. Did you mean targetPort?",
    ]);
  });

  it("keeps every field that packets depend on", () => {
    const spec = `
  type: LoadBalancer
  clusterIP: 10.96.0.7
  clusterIPs: [10.96.0.7, "fd00:10:96::7"]
  externalIPs: [192.0.2.1]
  externalTrafficPolicy: Local
  internalTrafficPolicy: Local
  healthCheckNodePort: 32000
  loadBalancerSourceRanges: [" 203.0.113.5/24 ", "2001:db8::/32"]
  sessionAffinity: ClientIP
  publishNotReadyAddresses: true
  ports: [{ name: dns, port: 53, protocol: UDP, targetPort: dns-udp, nodePort: 30053 }]
status:
  loadBalancer: { ingress: [{ ip: 198.51.100.1, ipMode: Proxy }, { ip: 198.51.100.2 }, { hostname: lb.example.com }] }`;
    const cluster = clusterOf(service(spec));
    expect(cluster.services[0]).toMatchObject({
      clusterIPs: [0x0a600007, 0xfd00_0010_0096_0000_0000_0000_0000_0007n],
      externalIPs: [0xc0000201],
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Local",
      healthCheckNodePort: 32000,
      loadBalancerIngress: [
        { ip: 0xc6336401, ipMode: "Proxy" },
        { ip: 0xc6336402, ipMode: "VIP" },
      ],
      loadBalancerSourceRanges: [
        { address: 0xcb007100, length: 24 },
        { address: 0x20010db8n << 96n, length: 32 },
      ],
      affinitySeconds: 10800,
      publishNotReadyAddresses: true,
      ports: [{ name: "dns", protocol: "UDP", port: 53, nodePort: 30053, targetPort: "dns-udp" }],
    });
    expect(notesOf(cluster)).toEqual([
      "note: t.yaml: document 1: Service shop/web: status.loadBalancer.ingress[2]: names no ip: kube-proxy ignores it, as packets cannot be matched by a host name.",
    ]);
  });

  it("asks for topology hints by either annotation: the older one wins", () => {
    const modeOf = (annotations: string) =>
      clusterOf(service("{ ports: [{ port: 80 }] }", `name: web, annotations: { ${annotations} }`))
        .services[0]?.topologyMode;
    expect(modeOf("service.kubernetes.io/topology-mode: Auto")).toBe("Auto");
    const older = "service.kubernetes.io/topology-aware-hints";
    expect(modeOf(`service.kubernetes.io/topology-mode: Auto, ${older}: disabled`)).toBe("disabled");
    expect(modeOf(`service.kubernetes.io/topology-mode: Auto, ${older}: ""`)).toBe("");
  });

  it("is headless with None, has no address as ExternalName, and no selector where it is empty", () => {
    expect(read("{ clusterIP: None }")).toMatchObject({ headless: true, clusterIPs: [], ports: [] });
    expect(read("{ type: ExternalName, clusterIP: 10.96.0.7, externalName: a.b }")).toMatchObject({
      headless: false,
      clusterIPs: [],
    });
    expect(read("{ selector: {}, ports: [{ port: 80 }] }")?.selector).toBeUndefined();
  });

  it.each([
    [
      "{ clusterIP: 10.96.0.300, ports: [{ port: 80 }] }",
      "spec.clusterIP: «10.96.0.300» is not an IP address, such as 10.96.0.1.",
    ],
    [
      "{ clusterIP: DNS_SERVER_IP, ports: [{ port: 80 }] }",
      "spec.clusterIP: «DNS_SERVER_IP» is not an IP address, such as 10.96.0.1. It looks like a placeholder: fill the template in first.",
    ],
    [
      "{ clusterIPs: [10.96.0.1, x], ports: [{ port: 80 }] }",
      "spec.clusterIPs[1]: «x» is not an IP address, such as 10.96.0.1.",
    ],
    [
      "{ clusterIP: 0.0.0.0, ports: [{ port: 80 }] }",
      "spec.clusterIP: 0.0.0.0 is the unspecified address, and no address of a Service.",
    ],
    [
      "{ clusterIP: 127.0.0.53, ports: [{ port: 80 }] }",
      "spec.clusterIP: 127.0.0.53 is a loopback address, and no address of a Service.",
    ],
    [
      "{ clusterIP: 239.1.2.3, ports: [{ port: 80 }] }",
      "spec.clusterIP: 239.1.2.3 is a multicast address, and no address of a Service.",
    ],
    [
      '{ clusterIPs: [10.96.0.1, "::"], ports: [{ port: 80 }] }',
      "spec.clusterIPs[1]: :: is the unspecified address, and no address of a Service.",
    ],
    [
      '{ clusterIPs: [10.96.0.1, "::1"], ports: [{ port: 80 }] }',
      "spec.clusterIPs[1]: ::1 is a loopback address, and no address of a Service.",
    ],
    [
      '{ clusterIPs: [10.96.0.1, "ff02::1"], ports: [{ port: 80 }] }',
      "spec.clusterIPs[1]: ff02::1 is a multicast address, and no address of a Service.",
    ],
    [
      "{ clusterIPs: [10.96.0.1, 10.96.0.2], ports: [{ port: 80 }] }",
      "spec.clusterIPs[1]: is a second IPv4 address beside spec.clusterIPs[0]: leave one of each family.",
    ],
    [
      '{ clusterIPs: [10.96.0.1, "fd00::1", "fd00::2"], ports: [{ port: 80 }] }',
      "spec.clusterIPs[2]: is a second IPv6 address beside spec.clusterIPs[1]: leave one of each family.",
    ],
    ["{ ports: [{ port: 70000 }] }", "spec.ports[0].port: 70000 is out of range: 1 to 65535."],
    ["{ ports: [{ port: 0 }] }", "spec.ports[0].port: 0 is out of range: 1 to 65535."],
    [
      '{ ports: [{ port: "80" }] }',
      "spec.ports[0].port: is the text «80», not a whole number from 1 to 65535.",
    ],
    ["{ ports: [{ port: 80.5 }] }", "spec.ports[0].port: is «80.5», not a whole number from 1 to 65535."],
    ["{ ports: [{ name: a }] }", "spec.ports[0].port: is missing."],
    ["{ ports: [] }", "spec.ports: is empty: a Service needs at least one port."],
    ["{ ports: 80 }", "spec.ports: is «80», not a list."],
    ["[]", "spec: is a list, not an object."],
    [
      "{ ports: [{ port: 80, protocol: ICMP }] }",
      "spec.ports[0].protocol: «ICMP» is none of TCP, UDP, SCTP.",
    ],
    [
      "{ ports: [{ port: 80, nodePort: 65536 }] }",
      "spec.ports[0].nodePort: 65536 is out of range: 0 to 65535.",
    ],
    [
      '{ ports: [{ port: 80, targetPort: "80" }] }',
      "spec.ports[0].targetPort: «80» is text: write the port number without quotes.",
    ],
    ["{ ports: [{ port: 80, targetPort: [1] }] }", "spec.ports[0].targetPort: is a list, not text."],
    [
      "{ ports: [{ port: 80, name: a }, { port: 81, name: a }] }",
      "spec.ports[1].name: «a» is already taken by spec.ports[0].",
    ],
    [
      "{ ports: [{ port: 80, name: a }, { port: 80, name: b }] }",
      "spec.ports[1].port: «80/TCP» is already taken by spec.ports[0].",
    ],
    [
      "{ ports: [{ port: 80, name: a, nodePort: 30000 }, { port: 81, name: b, nodePort: 30000 }] }",
      "spec.ports[1].nodePort: «30000/TCP» is already taken by spec.ports[0].",
    ],
    [
      "{ ports: [{ port: 80, name: a }, { port: 81 }] }",
      "spec.ports[1].name: is missing: each of several ports needs a name of its own.",
    ],
    [
      "{ ports: [{ port: 80 }], type: Cluster }",
      "spec.type: «Cluster» is none of ClusterIP, NodePort, LoadBalancer, ExternalName.",
    ],
    [
      "{ ports: [{ port: 80 }], externalTrafficPolicy: local }",
      "spec.externalTrafficPolicy: «local» is none of Cluster, Local.",
    ],
    ["{ ports: [{ port: 80 }], selector: { app: 1 } }", "spec.selector.app: is «1», not text."],
    [
      "{ ports: [{ port: 80 }], loadBalancerSourceRanges: [10.0.0.0] }",
      "spec.loadBalancerSourceRanges[0]: «10.0.0.0» is not a network, such as 203.0.113.0/24.",
    ],
    [
      "{ ports: [{ port: 80 }], sessionAffinity: ClientIP, sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } }",
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: 86401 is out of range: 1 to 86400.",
    ],
    [
      "{ ports: [{ port: 80 }], publishNotReadyAddresses: yes please }",
      "spec.publishNotReadyAddresses: is the text «yes please», not true or false.",
    ],
  ])("is refused for %s", (spec, sentence) => {
    expect(refusal(spec)).toEqual([sentence]);
  });

  it("may have addresses beside those that are refused", () => {
    for (const ip of [
      "0.0.0.1",
      "126.255.255.255",
      "128.0.0.0",
      "223.255.255.255",
      "240.0.0.0",
      "::2",
      "feff::1",
    ]) {
      expect(read(`{ clusterIP: "${ip}", ports: [{ port: 80 }] }`)?.clusterIPs.map(printIp)).toEqual([ip]);
    }
  });

  it("is refused with every error at once, each once", () => {
    expect(refusal("{ clusterIP: a, ports: [{ port: 0 }, { port: 1, name: x }] }")).toEqual([
      "spec.clusterIP: «a» is not an IP address, such as 10.96.0.1.",
      "spec.ports[0].port: 0 is out of range: 1 to 65535.",
      "spec.ports[0].name: is missing: each of several ports needs a name of its own.",
    ]);
    expect(refusalOf("apiVersion: v1\nkind: Service\nmetadata: web\n")).toEqual([
      "t.yaml: document 1: Service: spec: is missing.",
      "t.yaml: document 1: Service: metadata: is the text «web», not an object.",
    ]);
    expect(refusalOf(service("{ ports: [{ port: 80 }] }", "name: Web_1"))).toEqual([
      "t.yaml: document 1: Service default/Web_1: metadata.name: «Web_1» is no name: lower-case letters, digits, «-» and «.» only.",
    ]);
  });
});
