import { release } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import type { ProxyMode } from "../../../src/ruleset/ruleset.js";
import { expectKernel, NotHere } from "./shell.js";
import { hold, type Trial } from "./trial.js";

/** Asks the Linux kernel: loads the printed rules, sends packets, and compares with the machine. */

const MODES = ["iptables-legacy", "iptables-nft", "nftables"] as const;

interface Options {
  readonly mode: readonly (typeof MODES)[number][];
  readonly packets: number;
  readonly seed: number;
  readonly json?: boolean;
  readonly examples: number;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}

const proxyOf = (mode: string): ProxyMode => (mode === "nftables" ? "nftables" : "iptables");

async function main(options: Options): Promise<number> {
  expectKernel();
  const trials: Trial[] = [];
  for (const mode of options.mode) {
    const backend = mode === "iptables-nft" ? "nft" : "legacy";
    const setup = { proxy: proxyOf(mode), backend, packets: options.packets, seed: options.seed } as const;
    trials.push(await hold(mode, setup, (said) => process.stderr.write(`${said}\n`)));
  }
  for (const { mode, tally } of trials) {
    console.log(
      `${mode}: ${tally.packets} packets, ${tally.flows} flows, ${tally.later} later, ${tally.differing} differ; forwarded ${tally.forwarded} delivered ${tally.delivered} dropped ${tally.dropped} answered ${tally.answered} made ${tally.made}`,
      tally.punted,
    );
    for (const { what, count, example } of tally.differences.slice(0, options.examples)) {
      console.log(`  ${count} × ${what}`);
      for (const line of example) console.log(`      ${line}`);
    }
  }
  console.log(`Linux ${release()}`);
  return trials.every(({ tally }) => tally.differing === 0) ? 0 : 1;
}

const command = new Command("test:kernel")
  .addOption(new Option("--mode <mode...>").choices(MODES).default([...MODES]))
  .option("--packets <count>", "packets a mode", parseCount, 100_000)
  .option("--seed <seed>", "of all that is drawn", parseCount, 1)
  .option("--examples <count>", "kinds of differences that are shown", parseCount, 20)
  .option("--json", "prints the result as JSON");

command.action(async (options: Options) => {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    console.error(`skipped: ${error.message}`);
    process.exitCode = 2;
  }
});
await command.parseAsync();
