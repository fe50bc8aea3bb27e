const VOID = new Set(["meta"]);

/** Walks markup tag by tag; undefined when every tag closes in order, otherwise what is wrong. Right by inspection. */
export function imbalanceOf(source: string): string | undefined {
  const open: string[] = [];
  const tag = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9:-]*="[^"<>]*")*)\s*(\/?)>/g;
  let end = 0;
  for (const match of source.matchAll(tag)) {
    const between = source.slice(end, match.index);
    if (/[<>]/.test(between) && open.at(-1) !== "style") return `loose < or > in «${between.slice(0, 60)}»`;
    if (/&(?!#\d+;)/.test(between)) return `loose & in «${between.slice(0, 60)}»`;
    end = match.index + match[0].length;
    const [, closes, name = "", , selfCloses] = match;
    if (closes === "/") {
      if (open.pop() !== name) return `</${name}> closes nothing`;
    } else if (selfCloses !== "/" && !VOID.has(name)) open.push(name);
  }
  return open.length === 0 ? undefined : `<${open.join("><")}> never closed`;
}
