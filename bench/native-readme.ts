import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { printMarkdown } from "./native/print.js";
import { replaceResults } from "./native/readme.js";
import type { NativeReport } from "./native/rows.js";

await new Command("bench:readme")
  .description("write the results of `bench:native --json` into the README, between its two markers")
  .argument("<json>", "the file that bench:native wrote")
  .option("--into <file>", "the file with the markers", "README.md")
  .action((json: string, { into }: { readonly into: string }) => {
    const report = JSON.parse(readFileSync(json, "utf8")) as NativeReport;
    writeFileSync(into, replaceResults(readFileSync(into, "utf8"), printMarkdown(report)));
  })
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
