/** What callers without types hand over is told apart where it comes in: every sentence names the argument and what to give. */

const LONGEST = 40;

function said(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object of another kind";
  const text = String(value);
  return `«${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}»`;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** TypeError unless it is right: `the cluster of compile() is missing: give what Cluster.parse() answers.` */
export function expectArgument(isRight: boolean, value: unknown, argument: string, give: string): void {
  if (!isRight) throw new TypeError(`${argument} is ${said(value)}: give ${give}.`);
}

/** TypeError unless it is text, such as `give` names. */
export function expectText(value: unknown, argument: string, give: string): void {
  expectArgument(typeof value === "string", value, argument, give);
}

/** TypeError unless it is a list of objects, such as `give` names; the first that is none is told by its place. */
export function expectObjects(value: unknown, argument: string, give: string): void {
  expectArgument(Array.isArray(value), value, argument, give);
  const list = value as readonly unknown[];
  const wrong = list.findIndex((one) => !isObject(one));
  if (wrong >= 0) expectArgument(false, list[wrong], `item ${wrong + 1} of ${argument}`, give);
}

/** TypeError unless it is an object that may hold options. */
export function expectOptions(value: unknown, call: string): void {
  expectArgument(isObject(value), value, `the options of ${call}`, "an object, or leave them out");
}
