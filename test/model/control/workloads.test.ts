import { describe, expect, it } from "vitest";
import { clusterOf, notesOf, printPods, refusalOf } from "../yaml.js";

const workload = (kind: string, name: string, spec: string, template = "{}", more = "") => `
apiVersion: ${kind === "Job" || kind === "CronJob" ? "batch/v1" : kind === "ReplicationController" ? "v1" : "apps/v1"}
kind: ${kind}
metadata: { name: ${name}, namespace: shop${more} }
spec:
  template: { metadata: { labels: { app: ${name} } }, spec: ${template} }
  ${spec}
`;
const node = (name: string, spec: string, labels = "{}") =>
  `apiVersion: v1\nkind: Node\nmetadata: { name: ${name}, labels: ${labels} }\nspec: ${spec}\n`;
const all = (...documents: string[]) => documents.join("---\n");
const placed = (yaml: string) => printPods(clusterOf(yaml)).map((line) => line.replace(/^shop\//, ""));

describe("Pods of workloads", () => {
  it("get names, Nodes in turn and addresses from .2 up", () => {
    const pods = placed(
      all(
        workload("Deployment", "web", "replicas: 4"),
        workload("StatefulSet", "db", "replicas: 2"),
        workload("ReplicaSet", "rs", ""),
        workload("ReplicationController", "rc", "replicas: 0"),
      ),
    );
    const shapes = pods.map((pod) =>
      pod.replace(/-[b-z2-9]{10}-[b-z2-9]{5} /, "-HASH-RAND ").replace(/-[b-z2-9]{5} /, "-RAND "),
    );
    expect(shapes).toEqual([
      "web-HASH-RAND worker-1 10.244.0.2",
      "web-HASH-RAND worker-2 10.244.1.2",
      "web-HASH-RAND worker-3 10.244.2.2",
      "web-HASH-RAND worker-1 10.244.0.3",
      "db-0 worker-2 10.244.1.3",
      "db-1 worker-3 10.244.2.3",
      "rs-RAND worker-1 10.244.0.4",
    ]);
    expect(new Set(pods.map((pod) => pod.split(" ")[0])).size).toBe(7);
  });

  it("get another name where theirs is taken", () => {
    const name = placed(workload("ReplicaSet", "rs", ""))[0]?.split(" ")[0] ?? "";
    const taken = `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop }\n`;
    const names = placed(all(taken, workload("ReplicaSet", "rs", ""))).map((pod) => pod.split(" ")[0]);
    expect(names[0]).toBe(name);
    expect(names[1]).toMatch(/^rs-[b-z2-9]{5}$/);
    expect(names[1]).not.toBe(name);
  });

  it("carry the labels that the controllers add", () => {
    const { pods } = clusterOf(
      all(
        workload("Deployment", "web", ""),
        workload("StatefulSet", "db", "ordinals: { start: 5 }"),
        workload("Job", "once", ""),
      ),
    );
    const [web, db, once] = pods;
    const hash = web?.labels.get("pod-template-hash") ?? "none";
    expect(web?.name.startsWith(`web-${hash}-`)).toBe(true);
    expect([...(db?.labels ?? [])]).toEqual([
      ["app", "db"],
      ["statefulset.kubernetes.io/pod-name", "db-5"],
      ["apps.kubernetes.io/pod-index", "5"],
    ]);
    expect(once?.labels.get("job-name")).toBe("once");
  });

  it("stay where they are when a workload is added at the end", () => {
    const before = all(workload("Deployment", "web", "replicas: 5"), workload("DaemonSet", "agent", ""));
    const after = all(before, workload("Deployment", "late", "replicas: 2"));
    expect(placed(after).slice(0, 8)).toEqual(placed(before));
  });

  it("run at a Job's parallelism as far as it has to complete, and not at all for a CronJob", () => {
    const count = (spec: string, more = "") => clusterOf(workload("Job", "j", spec) + more).pods.length;
    expect(count("")).toBe(1);
    expect(count("parallelism: 3")).toBe(3);
    expect(count("parallelism: 3\n  completions: 2")).toBe(2);
    expect(count("suspend: true")).toBe(0);
    expect(count("parallelism: 3\n  completions: 5", "status: { succeeded: 4 }\n")).toBe(1);
    expect(count("", "status: { succeeded: 1, completionTime: x }\n")).toBe(0);
    const cron = clusterOf("apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: c }\nspec: {}\n");
    expect(cron.pods).toEqual([]);
    expect(notesOf(cron)).toEqual([
      "note: t.yaml: document 1: CronJob default/c: runs nothing until its hour: no Pods are made for a CronJob.",
    ]);
  });

  it("run once on each Node for a DaemonSet, with the Node's address on the host network", () => {
    expect(
      placed(workload("DaemonSet", "agent", "", "{ hostNetwork: true }")).map((pod) => pod.slice(12)),
    ).toEqual(["worker-1 172.18.0.2", "worker-2 172.18.0.3", "worker-3 172.18.0.4"]);
  });

  it("go to the Nodes that selectors, affinity, taints and cordons leave", () => {
    const nodes = all(
      node("plain", "{}"),
      node(
        "cordoned",
        "{ unschedulable: true, taints: [{ key: node.kubernetes.io/unschedulable, effect: NoSchedule }] }",
      ),
      node("tainted", "{ taints: [{ key: role, value: db, effect: NoSchedule }] }", "{ disk: ssd }"),
      node("soft", "{ taints: [{ key: x, effect: PreferNoSchedule }] }", "{ disk: hdd, size: '7' }"),
    );
    const where = (kind: string, template: string) =>
      placed(all(nodes, workload(kind, "w", kind === "DaemonSet" ? "" : "replicas: 4", template))).map(
        (pod) => pod.split(" ")[1],
      );
    const affinity = (terms: string) =>
      `{ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: ${terms} } } } }`;
    expect(where("Deployment", "{}")).toEqual(["plain", "soft", "plain", "soft"]);
    expect(where("DaemonSet", "{}")).toEqual(["plain", "cordoned", "soft"]);
    expect(where("DaemonSet", "{ tolerations: [{ operator: Exists }] }")).toEqual([
      "plain",
      "cordoned",
      "tainted",
      "soft",
    ]);
    expect(
      where("DaemonSet", "{ nodeSelector: { disk: ssd }, tolerations: [{ key: role, value: db }] }"),
    ).toEqual(["tainted"]);
    expect(
      where("DaemonSet", "{ nodeSelector: { disk: ssd }, tolerations: [{ key: role, value: web }] }"),
    ).toEqual([]);
    expect(
      where(
        "DaemonSet",
        "{ nodeSelector: { disk: ssd }, tolerations: [{ key: role, operator: Exists, effect: NoExecute }] }",
      ),
    ).toEqual([]);
    expect(
      where(
        "DaemonSet",
        affinity("[{ matchExpressions: [{ key: disk, operator: In, values: [hdd, ssd] }] }]"),
      ),
    ).toEqual(["soft"]);
    expect(
      where("DaemonSet", affinity("[{ matchExpressions: [{ key: disk, operator: NotIn, values: [hdd] }] }]")),
    ).toEqual(["plain", "cordoned"]);
    expect(
      where(
        "DaemonSet",
        affinity(
          "[{ matchExpressions: [{ key: disk, operator: DoesNotExist }] }, { matchExpressions: [{ key: size, operator: Gt, values: ['6'] }] }]",
        ),
      ),
    ).toEqual(["plain", "cordoned", "soft"]);
    expect(
      where(
        "DaemonSet",
        affinity("[{ matchFields: [{ key: metadata.name, operator: In, values: [plain] }] }]"),
      ),
    ).toEqual(["plain"]);
    expect(where("DaemonSet", affinity("[{}]"))).toEqual([]);
  });

  it("stay away, with a note, where no Node fits", () => {
    const cluster = clusterOf(
      all(
        workload("Deployment", "web", "replicas: 2", "{ nodeSelector: { disk: ssd } }"),
        workload("DaemonSet", "agent", "", "{ nodeSelector: { disk: ssd } }"),
        "apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { nodeSelector: { disk: ssd } }\n",
      ),
    );
    expect(cluster.pods).toEqual([]);
    const why = "no Node fits its nodeSelector, node affinity and tolerations.";
    expect(notesOf(cluster)).toEqual([
      `note: t.yaml: document 3: Pod default/p: stays pending: ${why}`,
      `note: t.yaml: document 1: Deployment shop/web: has 2 Pods that stay pending: ${why}`,
      `note: t.yaml: document 2: DaemonSet shop/agent: runs nowhere: ${why}`,
    ]);
  });

  it("are not made where they, or a ReplicaSet, are given", () => {
    const owned = (name: string, kind: string, owner: string, labels = "{}", status = "{}") =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop, labels: ${labels}, ownerReferences: [{ kind: ${kind}, name: ${owner} }] }\nstatus: ${status}\n`;
    const yaml = all(
      workload("Deployment", "web", "replicas: 3"),
      owned("web-abc-1", "ReplicaSet", "web-abc", "{ pod-template-hash: abc }"),
      workload("StatefulSet", "db", "replicas: 3"),
      owned("db-0", "StatefulSet", "db"),
      workload("Job", "done", ""),
      owned("done-x", "Job", "done", "{}", "{ phase: Succeeded }"),
      workload("Deployment", "api", "replicas: 3"),
      workload(
        "ReplicaSet",
        "api-def",
        "replicas: 2",
        "{}",
        ", ownerReferences: [{ kind: Deployment, name: api }]",
      ),
      workload(
        "ReplicaSet",
        "api-old",
        "replicas: 0",
        "{}",
        ", ownerReferences: [{ kind: Deployment, name: api }]",
      ),
    );
    const names = placed(yaml).map((pod) => pod.split(" ")[0]?.replace(/-[b-z2-9]{5}$/, "-RAND"));
    expect(names).toEqual(["web-abc-1", "db-0", "api-def-RAND", "api-def-RAND"]);
  });

  it("are refused where podCIDRs are too small", () => {
    expect(
      refusalOf(all(node("a", "{ podCIDR: 10.0.0.0/28 }"), workload("Deployment", "web", "replicas: 15"))),
    ).toEqual([
      "t.yaml: document 1: Node a: spec.podCIDRs: 10.0.0.0/28 is too small: 2 more Pods are to run here than it has addresses. Give more Nodes, or a larger podCIDR.",
    ]);
    expect(
      clusterOf(all(node("a", "{ podCIDR: 10.0.0.0/28 }"), workload("Deployment", "web", "replicas: 13")))
        .pods,
    ).toHaveLength(13);
    expect(refusalOf(workload("Deployment", "web", "replicas: -1"))).toEqual([
      "t.yaml: document 1: Deployment shop/web: spec.replicas: -1 is out of range: 0 to 1000000.",
    ]);
    expect(refusalOf("apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: {}\n")).toEqual([
      "t.yaml: document 1: Deployment default/web: spec.template: is missing.",
    ]);
  });

  it("have an address of each family of their Node", () => {
    const dual = all(
      node("a", '{ podCIDRs: ["fd00:244::/64", 10.0.0.0/24] }'),
      workload("Deployment", "web", ""),
    );
    expect(placed(dual)[0]?.split(" ")[2]).toBe("10.0.0.2,fd00:244::2");
  });

  it("warns of hostPorts, which nothing here listens on", () => {
    const ports = (more: string) =>
      `{ ${more} containers: [{ ports: [{ containerPort: 80, hostPort: 80 }] }] }`;
    expect(notesOf(clusterOf(workload("DaemonSet", "a", "", ports(""))))).toEqual([
      "warning: t.yaml: document 1: DaemonSet shop/a: spec.template.spec.containers[0].ports[0].hostPort: is not modelled: nothing listens on port 80 of the node.",
    ]);
    expect(notesOf(clusterOf(workload("DaemonSet", "a", "", ports("hostNetwork: true,"))))).toEqual([]);
  });
});

describe("Pods that are given", () => {
  const pod = (name: string, spec: string, status: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: ${spec}\nstatus: ${status}\n`;

  it("are ready as their conditions say", () => {
    const { pods } = clusterOf(
      all(
        pod("bare", "{}", "{}"),
        pod("ready", "{}", "{ phase: Running, conditions: [{ type: Ready, status: 'True' }] }"),
        pod("unready", "{}", "{ phase: Running, conditions: [{ type: Ready, status: 'False' }] }"),
        pod("starting", "{}", "{ phase: Running, conditions: [{ type: PodScheduled, status: 'True' }] }"),
        pod("pending", "{}", "{ phase: Pending }"),
      ),
    );
    expect(pods.map(({ ready }) => ready)).toEqual([true, true, false, false, false]);
  });

  it("keep their addresses, which are then not given again, and run where these live", () => {
    expect(
      placed(
        all(
          pod("late", "{}", "{}"),
          pod("taken", "{}", "{ podIP: 10.244.1.2 }"),
          pod("second", "{ nodeName: worker-2 }", "{ podIPs: [] }"),
        ).replaceAll("nodeName: worker-2", "nodeSelector: { kubernetes.io/hostname: worker-2 }"),
      ),
    ).toEqual([
      "default/late worker-1 10.244.0.2",
      "default/taken worker-2 10.244.1.2",
      "default/second worker-2 10.244.1.3",
    ]);
  });
});
