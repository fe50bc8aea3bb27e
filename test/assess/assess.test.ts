import { describe, expect, it } from "vitest";
import { type AssessOptions, assess } from "../../src/assess/assess.js";
import type { Cluster } from "../../src/model/cluster.js";
import type { AssessmentFinding } from "../../src/report/assessment.js";
import { parseIpvs } from "../../src/ruleset/ipvs-save.js";
import { rowsCluster } from "../diff/rows-cluster.js";
import { clusterOf } from "../proxy/cluster-of.js";

const NODE = { nodes: ["worker-1"] } as const;

async function findingsOf(
  cluster: Cluster,
  options: AssessOptions = NODE,
): Promise<readonly AssessmentFinding[]> {
  return (await assess(cluster, options)).assessment.findings;
}

/** Each finding of a category: its effect, Services, and the verdicts of its example. */
function told(findings: readonly AssessmentFinding[], name: string) {
  return findings
    .filter(({ category }) => category === name)
    .map(({ effect, services, example }) => [
      effect,
      services.join(" "),
      `${example.before.verdict} ${example.after.verdict}`,
    ]);
}

const listing = (text: string) => ({ file: "worker-1.ipvs", ipvs: parseIpvs(text, "worker-1.ipvs") });

const WEB = clusterOf()
  .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80" })
  .slice("shop/web", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2")
  .build();

describe("assess", () => {
  it("says whence the node asks afterwards, where what it asked from was its own in mode ipvs alone", async () => {
    const findings = await findingsOf(rowsCluster());
    const own = findings.filter(({ example: { from, to } }) => from.split(":")[0] === to.split(":")[0]);
    const ofVips = own.filter(({ example }) => example.from.startsWith("203.0.113."));
    expect(ofVips.length).toBeGreaterThan(0);
    for (const { example } of ofVips)
      expect(example.sentAfter).toEqual({
        from: "172.18.0.2:41000",
        frame: expect.stringMatching(/^[0-9a-f]+$/),
      });
    for (const { example } of findings)
      expect(example.sentAfter === null || ofVips.some((one) => one.example === example)).toBe(true);
  });

  it("gives no two findings one title", async () => {
    const titles = (await findingsOf(rowsCluster())).map(({ about }) => about);
    expect(titles.filter((about) => / Before: .*; after: /.test(about)).length).toBeGreaterThan(1);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it("asks a node by its InternalIP, where that shows what another address of it does", async () => {
    const findings = await findingsOf(rowsCluster(), { ...NODE, to: "iptables" });
    // The node asks itself at no address that it would ask from anyway.
    const examples = findings
      .filter(({ about }) => !about.includes("on a further address"))
      .map(({ example }) => example)
      .filter(({ source }) => source !== "the node");
    const asked = examples.filter(({ place }) => place === "nodePort").map(({ to }) => to);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((to) => !/^(172\.18\.0\.2|127\.0\.0\.1):/.test(to))).toEqual([]);
  });

  it("tells of leaving IPVS for nftables what the two modes differ in", async () => {
    const { assessment, diagnostics } = await assess(rowsCluster(), NODE);
    const { findings } = assessment;
    expect(assessment.categories.map(({ name }) => name)).toEqual([
      "connections",
      "traffic-policy",
      "node-ports",
      "scheduler",
      "affinity",
      "refusals",
      "other",
    ]);
    expect(assessment).toMatchObject({
      from: "ipvs",
      to: "nftables",
      schedulers: ["rr"],
      nodes: ["worker-1"],
    });
    expect(diagnostics).not.toHaveLength(0);
    expect(told(findings, "connections")).toContainEqual(["breaks", "shop/remote", "accept drop"]);
    expect(told(findings, "connections").map(([effect]) => effect)).toContain("moves");
    expect(told(findings, "traffic-policy")[0]).toEqual(["breaks", "shop/remote", "accept drop"]);
    expect(told(findings, "node-ports").map(([effect]) => effect)).toEqual(["breaks", "breaks"]);
    expect(told(findings, "scheduler").every(([effect]) => effect === "changes")).toBe(true);
    expect(told(findings, "affinity").map(([, services]) => services)).toEqual([
      "shop/sticky",
      "shop/sticky",
    ]);
    // A Service without endpoints is refused by both, if by other means.
    expect(told(findings, "refusals")).not.toContainEqual(expect.arrayContaining(["reject reject"]));
    expect(told(findings, "refusals")).toContainEqual(["refused otherwise", "shop/guarded", "reject drop"]);
  });

  it("shows with every finding a packet that the modes treat differently", async () => {
    for (const to of ["nftables", "iptables"] as const) {
      const findings = await findingsOf(rowsCluster(), { ...NODE, to });
      expect(findings.length).toBeGreaterThan(8);
      for (const { example, about, flows, effect } of findings) {
        expect(example.before.text).not.toBe(example.after.text);
        expect(example.frame).toMatch(/^([0-9a-f]{2}){14,}$/);
        expect(about).toMatch(/^[A-Z].*\.$/s);
        expect(flows).toBeGreaterThan(0);
        if (effect === "breaks") expect(example.before.verdict).toBe("accept");
        if (effect === "refused otherwise") expect(example.before.verdict).not.toBe(example.after.verdict);
      }
    }
  });

  it("tells what internalTrafficPolicy Local loses, and what ClusterIPs refuse", async () => {
    const cluster = clusterOf()
      .service("shop/near", {
        type: "NodePort",
        clusterIPs: "10.96.0.5",
        ports: "http:80>30005",
        internalTrafficPolicy: "Local",
      })
      .slice("shop/near", "http:8080", "10.244.2.5@worker-2")
      .service("shop/own", { clusterIPs: "10.96.0.6", ports: "http:80", internalTrafficPolicy: "Local" })
      .slice("shop/own", "http:8080", "10.244.2.6@worker-2")
      .build();
    const findings = await findingsOf(cluster);
    expect(told(findings, "traffic-policy")).toContainEqual(["breaks", "shop/near", "accept drop"]);
    // IPVS has no endpoint there, and says so; nftables drops.
    expect(told(findings, "refusals")).toContainEqual(["refused otherwise", "shop/own", "reject drop"]);
  });

  it("leaves what nodePortAddresses and a single endpoint leave alone", async () => {
    const cluster = clusterOf()
      .service("shop/one", { type: "NodePort", clusterIPs: "10.96.0.5", ports: "http:80>30005" })
      .slice("shop/one", "http:8080", "10.244.1.5@worker-1")
      .build();
    const findings = await findingsOf(cluster, { ...NODE, proxy: { nodePortAddresses: ["0.0.0.0/0"] } });
    expect(told(findings, "node-ports")).toEqual([]);
    expect(told(findings, "scheduler")).toEqual([]);
    // To the ClusterIP a Pod's connection goes on; through a nodePort it would come from another port.
    expect(told(findings, "connections")).toEqual([["moves", "shop/one", "accept accept"]]);
  });

  it.each([
    ["sh", /^Scheduler sh gives a client always the same endpoint; mode nftables draws /],
    ["dh", /^Scheduler dh gives an address always the same endpoint; /],
    ["rr", /^Scheduler rr gives endpoints their turns; /],
  ] as const)("names what is lost with scheduler %s", async (ipvsScheduler, words) => {
    const findings = await findingsOf(WEB, { ...NODE, proxy: { ipvsScheduler } });
    const own = findings.filter(({ category }) => category === "scheduler");
    expect(own.length).toBeGreaterThan(0);
    for (const { about, services } of own) {
      expect(about).toMatch(words);
      expect(services).toEqual(["shop/web"]);
    }
  });

  it("runs what shows a scheduler that hashes, and how long a client is remembered, in both modes", async () => {
    const [hashed] = (await findingsOf(WEB, { ...NODE, proxy: { ipvsScheduler: "sh" } })).filter(
      ({ category }) => category === "scheduler",
    );
    const { earlier, before, after } = hashed?.example ?? {};
    expect(earlier).toMatchObject({ seconds: 1, isInUse: false });
    // Where the first connection went goes the second.
    expect(before?.text).toContain(earlier?.wentTo);
    expect(before?.text).not.toContain(",");
    expect(after?.text).toMatch(/^goes to 10\.244\.1\.9:8080, 10\.244\.2\.9:8080, each by chance 1 in 2$/);
    const refreshed = (await findingsOf(rowsCluster())).filter(({ example }) => example.earlier?.isInUse);
    expect(refreshed.map(({ example }) => [example.earlier?.seconds, example.service])).toEqual([
      [601, "shop/sticky:http"],
    ]);
    const [one] = refreshed;
    expect(one?.example.before.text).toMatch(/^goes to 10\.244\.1\.18:8080, masqueraded; the client /);
    expect(one?.example.after.text).toMatch(
      /^goes to 10\.244\.1\.18:8080, 10\.244\.2\.18:8080, masqueraded, each by /,
    );
  });

  it("knows of UDP and SCTP, too, that a client is forgotten which is connected", async () => {
    for (const protocol of ["UDP", "SCTP"]) {
      const cluster = clusterOf()
        .service("shop/sig", { clusterIPs: "10.96.0.41", ports: `sig:90/${protocol}`, affinitySeconds: 900 })
        .slice("shop/sig", `sig:90/${protocol}`, "10.244.1.9@worker-1", "10.244.2.9@worker-2")
        .build();
      const findings = await findingsOf(cluster);
      const affinity = findings.filter(({ category }) => category === "affinity");
      expect(affinity.map(({ example }) => [example.protocol, example.earlier?.seconds])).toEqual([
        [protocol, 901],
      ]);
    }
  });

  it("shows a neighbour that IPVS takes for the client", async () => {
    const cluster = clusterOf()
      .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80", affinitySeconds: 300 })
      .slice("shop/web", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2")
      .build();
    const own = listing(`-A -t 10.96.0.41:80 -s rr -p 300 -M 255.255.255.0
-a -t 10.96.0.41:80 -r 10.244.1.9:8080 -m
-a -t 10.96.0.41:80 -r 10.244.2.9:8080 -m
`);
    const findings = await findingsOf(cluster, { ...NODE, listing: own });
    const near = findings.find(({ about }) => about.startsWith("Session affinity: "));
    expect([near?.example.from, near?.example.earlier?.from]).toEqual([
      "198.51.100.6:41001",
      "198.51.100.7:41000",
    ]);
  });

  it("takes a node's own listing for what its kernel holds", async () => {
    const text = `-A -t 10.96.0.41:80 -s wrr
-a -t 10.96.0.41:80 -r 10.244.1.9:8080 -m -w 3
-a -t 10.96.0.41:80 -r 10.244.2.9:8080 -m -w 1
-A -t 192.0.2.80:443 -s rr
-a -t 192.0.2.80:443 -r 10.244.1.9:8443 -m -w 1
`;
    const { assessment, diagnostics } = await assess(WEB, { ...NODE, listing: listing(text) });
    expect(assessment.schedulers).toEqual(["rr", "wrr"]);
    const scheduler = assessment.findings.find(({ category }) => category === "scheduler");
    expect(scheduler?.about).toMatch(/Scheduler wrr .* Its weights and thresholds have no equal, either\./);
    expect(scheduler?.services).toEqual(["shop/web"]);
    const foreign = assessment.findings.find(({ category }) => category === "foreign");
    expect(foreign).toMatchObject({
      effect: "breaks",
      example: { place: "virtual server", to: "192.0.2.80:443" },
    });
    expect(foreign?.example.before.text).toContain("goes to 10.244.1.9:8443");
    expect(foreign?.example.after.text).toContain("reaches the node itself");
    expect(diagnostics.filter(({ place }) => place.file === "worker-1.ipvs")).toEqual([]);
  });

  it("tells of persistence that only the node's own virtual server has, and of its netmask", async () => {
    const reals = "-a -t 10.96.0.41:80 -r 10.244.1.9:8080 -m\n-a -t 10.96.0.41:80 -r 10.244.2.9:8080 -m\n";
    const own = listing(`-A -t 10.96.0.41:80 -s rr -p 300 -M 255.255.255.0\n${reals}`);
    const findings = await findingsOf(WEB, { ...NODE, listing: own });
    const affinity = findings.filter(({ category }) => category === "affinity");
    expect(affinity.map(({ before, after }) => [before, after])).toEqual([
      [
        "goes to an endpoint, masqueraded; the client is remembered with all of its network (netmask 255.255.255.0) for 300 s from its latest new connection, and while one of its connections lives",
        "goes to an endpoint, masqueraded; the client is not remembered",
      ],
    ]);
    expect(
      told(
        await findingsOf(WEB, { ...NODE, listing: listing(`-A -t 10.96.0.41:80 -s rr\n${reals}`) }),
        "affinity",
      ),
    ).toEqual([]);
  });

  it("warns of a listing that is not the cluster's, and takes one of one node", async () => {
    const other = listing("-A -f 7 -s rr\n");
    const { diagnostics } = await assess(WEB, { ...NODE, listing: other });
    const warnings = diagnostics
      .filter(({ place }) => place.file === other.file)
      .map(({ message }) => message);
    expect(warnings).toEqual([
      "lacks TCP 10.96.0.41:80 of shop/web:http: give the listing of node worker-1, as it is now.",
      "firewall mark 7 is not assessed: what gives packets that mark is not known.",
    ]);
    await expect(assess(WEB, { listing: other })).rejects.toThrow("A listing is of one node: name that one.");
  });

  it("asks every node, and counts what it asked", async () => {
    const asked: string[] = [];
    const { assessment } = await assess(WEB, { onAsked: (node) => asked.push(node) });
    expect(assessment.nodes).toEqual(["worker-1", "worker-2"]);
    expect(assessment.asked).toBe(asked.length);
    expect(new Set(asked)).toEqual(new Set(assessment.nodes));
    expect(assessment.findings[0]?.nodes).toEqual(assessment.nodes);
  });
});
