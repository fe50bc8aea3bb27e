import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/** A TypeScript or AssemblyScript file of the project, with what it imports. */
export interface SourceFile {
  /** From the project's root: `src/net/ip.ts`. */
  readonly path: string;
  readonly text: string;
  /** Packages and `node:` modules by name, files by path without extension: `src/net/ip`. */
  readonly imports: readonly string[];
}

const IMPORT = /(?<![-"])(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g;

function resolve(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return posix.join(posix.dirname(path), specifier).replace(/\.(js|ts)$/, "");
}

/** Imports of one file; comments are not code. */
export function importsOf(path: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(IMPORT)].map((match) => resolve(path, match[1] ?? ""));
}

/** Every .ts file under a folder, ascending by path. */
export function sourceFiles(folder: string): SourceFile[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => {
      const text = readFileSync(path, "utf8");
      return { path, text, imports: importsOf(path, text) };
    });
}

/** What a file belongs to within its root: its first folder, or for files beside them its own name. */
export function unitOf(path: string): string {
  return (path.split("/")[1] ?? "").replace(/\.(d\.)?ts$/, "");
}
