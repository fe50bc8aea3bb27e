import { type Command, InvalidArgumentError, Option } from "commander";
import { Cluster, InputError, type ProxyMode } from "../index.js";
import { familyOf } from "../net/ip.js";
import { parsePrefix } from "../net/prefix.js";
import { showNotes } from "./diagnostic-printer.js";
import { readManifests } from "./input.js";
import { printNote } from "./output.js";
import { EXAMPLE_CLUSTER } from "./package.js";

export const MODES: readonly ProxyMode[] = ["iptables", "ipvs", "nftables"];
const MAX_NODES = 32768;

/** Where the cluster comes from, as every command asks for it. */
export interface ClusterOptions {
  readonly filename: readonly string[];
  readonly nodes?: number;
  readonly serviceCidr?: string;
}

/** Reads a whole number in a range from an option's argument. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
  };
}

/** A network, or one of each family with a comma between. */
function networks(text: string): string {
  const found = text.split(",").map(parsePrefix);
  const families = new Set(found.map((one) => one && familyOf(one.address)));
  if (!families.has(undefined) && families.size === found.length) return text;
  throw new InvalidArgumentError(
    "It is a network such as 10.96.0.0/12, or one of each family with a comma between.",
  );
}

/** `--nodes`, `--service-cidr` and `-v`. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option(
      "--nodes <number>",
      "nodes to make where the objects have none (default: 3)",
      integer(1, MAX_NODES),
    )
    .option(
      "--service-cidr <networks>",
      "network of the Services, or one of each family with a comma between (default: the objects' own, or 10.96.0.0/12)",
      networks,
    )
    .option("-v, --verbose", "print notes too, about what of the input is not modelled")
    .on("option:verbose", showNotes);
}

/** `-f`, and what addNetworkOptions adds. */
export function addClusterOptions(command: Command): Command {
  const collect = (path: string, paths: readonly string[]) => [...paths, path];
  const filename = new Option(
    "-f, --filename <path>",
    "Kubernetes objects: a file, a folder with all below it, or - for stdin; give it again for more",
  );
  return addNetworkOptions(command.addOption(filename.argParser(collect).default([], "the example cluster")));
}

/** `--seed`, 1 where it is not given. */
export function seedOption(): Option {
  return new Option("--seed <number>", "of random choices: another seed may choose another endpoint")
    .argParser(integer(0, 2 ** 32 - 1))
    .default(1);
}

/** Reads the cluster that the options name; without any, the example. InputError as Cluster.parse has it. */
export function loadCluster({ filename, nodes, serviceCidr }: ClusterOptions): Cluster {
  if (filename.length === 0) printNote("no -f is given: this is the example cluster, examples/shop.yaml.");
  const texts = readManifests(filename.length === 0 ? [EXAMPLE_CLUSTER] : filename);
  const named = texts.map(({ file = "input", text }) => ({ file, text }));
  if (named.every(({ text }) => text.trim() === "")) {
    const message = "is empty: Kubernetes objects are expected, as kubectl get -o yaml prints them.";
    throw new InputError(named.map(({ file }) => ({ severity: "error", place: { file }, message })));
  }
  return Cluster.parseFiles(named, {
    ...(nodes === undefined ? {} : { nodes }),
    ...(serviceCidr === undefined ? {} : { serviceCIDR: serviceCidr }),
  });
}
