import { describe, expect, it } from "vitest";
import { parseManifests } from "../../src/io/manifests.js";
import { sentencesOf } from "../model/yaml.js";

const read = (text: string) => parseManifests([{ file: "t.yaml", text }]);
const names = (text: string) => read(text).map(({ place }) => `${place.document} ${place.object}`);
const refusal = (text: string) => sentencesOf(() => read(text));

describe("parseManifests", () => {
  it("reads documents, numbers them as they stand and passes over empty ones", () => {
    const text = `# nothing\n---\napiVersion: v1\nkind: Node\nmetadata: { name: a }\n---\n---\n# no\n---\napiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\n`;
    expect(names(text)).toEqual(["1 Node a", "4 Service shop/web"]);
  });

  it("takes Lists apart, within Lists too, and gives items of a PodList their kind", () => {
    const list = `
apiVersion: v1
kind: List
items:
- { apiVersion: v1, kind: Service, metadata: { name: web } }
- apiVersion: v1
  kind: PodList
  items:
  - { metadata: { name: a } }
  - { metadata: { name: b, namespace: shop } }
`;
    expect(names(list)).toEqual(["1 Service default/web", "1 Pod default/a", "1 Pod shop/b"]);
    expect(read(list)[1]?.apiVersion).toBe("v1");
  });

  it("reads JSON and YAML alike", () => {
    const value = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", labels: { n: "1" } } };
    const [json] = read(JSON.stringify({ apiVersion: "v1", kind: "List", items: [value] }, undefined, 2));
    const [yaml] = read(`apiVersion: v1\nkind: Pod\nmetadata: { name: a, labels: { n: "1" } }`);
    expect(json).toEqual(yaml);
    expect(json?.value).toEqual(value);
  });

  it("reads an empty list, an empty text and a text that is all comments as nothing", () => {
    expect(read("apiVersion: v1\nkind: PodList\nitems: null\n")).toEqual([]);
    expect(read("")).toEqual([]);
    expect(read("# nothing\n---\n")).toEqual([]);
  });

  it("reads anchors and merge keys, and a byte order mark", () => {
    const [pod] = read(
      "\ufeffapiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: &l { app: a }\nx: { <<: *l, b: c }\n",
    );
    expect(pod?.value.x).toEqual({ app: "a", b: "c" });
  });

  it("tells of every broken document, with its file, number and line", () => {
    const text = "apiVersion: v1\nkind: Node\n---\na: [1,\n---\nb: 'x\n";
    const found = refusal(text);
    expect(found[0]).toMatch(/^t\.yaml: document 2: line [45] is not YAML: .*\.$/);
    expect(found).toHaveLength(2);
    expect(found[1]).toMatch(/^t\.yaml: document 3: line [67] is not YAML: .*\.$/);
  });

  it("refuses documents that are no objects", () => {
    expect(refusal("hello\n---\n- 1\n---\n7")).toEqual([
      "t.yaml: document 1: is plain text, not a Kubernetes object with apiVersion and kind.",
      "t.yaml: document 2: is a list, not a Kubernetes object with apiVersion and kind.",
      "t.yaml: document 3: is «7», not a Kubernetes object with apiVersion and kind.",
    ]);
    expect(refusal("kind: Pod")).toEqual([
      "t.yaml: document 1: has no apiVersion: every Kubernetes object has an apiVersion and a kind.",
    ]);
    expect(refusal("a: b")).toEqual([
      "t.yaml: document 1: has no apiVersion and no kind: every Kubernetes object has an apiVersion and a kind.",
    ]);
    expect(refusal("kind: List\nitems: 3")).toEqual(["t.yaml: document 1: List: items: is «3», not a list."]);
    expect(refusal("kind: List\nitems: [{kind: Pod, apiVersion: v1}, {kind: Pod}]")).toEqual([
      "t.yaml: document 1: List: items[1]: has no apiVersion: every Kubernetes object has an apiVersion and a kind.",
    ]);
  });

  it("says of Helm templates that they are templates", () => {
    const [inValue] = refusal("apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n");
    expect(inValue).toMatch(
      /^t\.yaml: document 1: line 4 is not YAML: .* It looks like a template: render it first/,
    );
    const [inFlow] = refusal("{{- if .Values.web }}\napiVersion: v1\nkind: Service\n{{- end }}\n");
    expect(inFlow).toMatch(/It looks like a template/);
  });

  it("refuses aliases without an anchor, alias bombs and duplicate keys", () => {
    expect(refusal("a: *nowhere")[0]).toMatch(/^t\.yaml: document 1: .*nowhere/);
    expect(refusal("apiVersion: v1\nkind: Pod\nkind: Pod")[0]).toMatch(
      /^t\.yaml: document 1: line 3 .*unique/,
    );
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n},`.repeat(9)}]`);
    expect(refusal(`l0: &l0 [x]\n${levels.join("\n")}`)[0]).toMatch(
      /^t\.yaml: document 1: is not YAML that can be read/,
    );
  });

  it("refuses whatever is cut off, and never throws anything else", () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: { name: "a" }\n`;
    for (const whole of [text, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } })]) {
      for (let length = 0; length < whole.length; length++) {
        try {
          read(whole.slice(0, length));
        } catch {
          expect(refusal(whole.slice(0, length))[0]).toMatch(/^t\.yaml: document 1: /);
        }
      }
    }
    expect(refusal('{"apiVersion": "v1", "kind": "Pod", "metadata": {"na')[0]).toMatch(/line 1 is not YAML/);
  });

  it("refuses nesting that would overflow the parser's stack, and reads what objects really nest", () => {
    const refused = ["t.yaml: line 2 nests deeper than 200 levels: no Kubernetes object does."];
    for (const deep of [
      `a:\n${"[".repeat(20_000)}`,
      `a:\n${"- ".repeat(20_000)}b`,
      `a:\n${"? ".repeat(20_000)}b`,
    ]) {
      expect(refusal(deep)).toEqual(refused);
    }
    expect(read(`apiVersion: v1\nkind: Pod\nspec: ${"[".repeat(150)}${"]".repeat(150)}`)).toHaveLength(1);
  });
});
