import { describe, expect, it } from "vitest";
import { Cluster } from "../src/cluster.js";
import { InputError, printDiagnostic } from "../src/diagnostics.js";

function refused(attempt: () => unknown): readonly string[] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof InputError) return error.diagnostics.map(printDiagnostic);
    throw error;
  }
  throw new Error("was not refused");
}

const NODE = "apiVersion: v1\nkind: Node\nmetadata: { name: a }\n";
const SECRET = "apiVersion: v1\nkind: Secret\nmetadata: { name: a }\n";
const EXPECTED = "Kubernetes objects are expected, as kubectl get -o yaml prints them.";

describe("Cluster.parse", () => {
  it.each([
    ["", "is empty"],
    [" \n\t\n", "is empty"],
    ["# nothing\n---\n# at all\n", "holds no object"],
    ["---\n---\n", "holds no object"],
    ["apiVersion: v1\nkind: List\nitems: []\n", "holds no object"],
    ['{"apiVersion": "v1", "kind": "PodList", "items": null}', "holds no object"],
  ])("refuses a text without any object: %j", (text, fault) => {
    expect(refused(() => Cluster.parse(text))).toEqual([`input: ${fault}: ${EXPECTED}`]);
    const files = [
      { file: "a.yaml", text },
      { file: "b.yaml", text: "" },
    ];
    expect(refused(() => Cluster.parseFiles(files))).toEqual([
      `a.yaml: ${fault}: ${EXPECTED}`,
      `b.yaml: is empty: ${EXPECTED}`,
    ]);
    expect(Cluster.parseFiles([...files, { file: "c.yaml", text: NODE }]).nodes).toHaveLength(1);
  });

  it("refuses no files at all", () => {
    expect(refused(() => Cluster.parseFiles([]))).toEqual([`input: is empty: ${EXPECTED}`]);
  });

  it("warns of objects that have nothing to do with packets", () => {
    const told = (text: string) => Cluster.parse(text).diagnostics.map(({ severity }) => severity);
    // The Secret was skipped, nothing is left, and Nodes were made.
    expect(told(SECRET).sort()).toEqual(["note", "note", "warning"]);
    expect(told("apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n")).toContain("warning");
    expect(told(`${SECRET}---\n${NODE}`)).toEqual(["note"]);
  });

  it("refuses octets, saying how to read them", () => {
    for (const octets of [Buffer.from(NODE), new TextEncoder().encode(NODE), undefined]) {
      const parse = () => Cluster.parse(octets as unknown as string);
      expect(parse).toThrow(TypeError);
      expect(parse).toThrow('the objects as text: read the file with readFile(path, "utf8").');
    }
  });
});
