import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type CompileOptions,
  type Ip,
  KUBERNETES_VERSIONS,
  type ProxyConfig,
  parseIp,
  parseProxyConfig,
} from "../index.js";
import { SCHEDULERS } from "../ruleset/ipvs.js";
import { DiagnosticPrinter } from "./diagnostic-printer.js";
import { checkStdin, readText } from "./input.js";
import { MODES } from "./options.js";

/** How kube-proxy runs on the nodes, as every command that compiles asks for it. */
export interface ProxyArguments {
  readonly filename: readonly string[];
  readonly mode?: NonNullable<CompileOptions["proxy"]>;
  readonly proxyConfig?: string;
  readonly ipvsScheduler?: NonNullable<CompileOptions["ipvsScheduler"]>;
  readonly kubernetesVersion?: NonNullable<CompileOptions["kubernetesVersion"]>;
  readonly nfacct?: boolean;
  readonly localAddress?: readonly Ip[];
}

/** False for 0.0.0.0/8, multicast and what is above it, :: and ff00::/8. */
function isUnicast(address: Ip): boolean {
  if (typeof address === "bigint") return address !== 0n && address >> 120n !== 0xffn;
  return address >= 0x01000000 && address < 0xe0000000;
}

function collectAddress(text: string, addresses: readonly Ip[] = []): readonly Ip[] {
  const address = parseIp(text);
  if (address === undefined || !isUnicast(address))
    throw new InvalidArgumentError("It is one address that a node can have, such as 192.0.2.7.");
  return [...addresses, address];
}

/** `--mode`, `--ipvs-scheduler`, and what addConfigOptions adds. */
export function addProxyOptions(command: Command): Command {
  const mode = new Option("--mode <mode>", "kube-proxy's mode (default: its configuration's, or iptables)");
  return addConfigOptions(command.addOption(mode.choices(MODES)).addOption(ipvsSchedulerOption()));
}

export function ipvsSchedulerOption(): Option {
  return new Option(
    "--ipvs-scheduler <name>",
    "mode ipvs: what picks endpoints (default: kube-proxy's configuration's, or rr)",
  ).choices(SCHEDULERS);
}

/** `--proxy-config`, `--kubernetes-version`, `--nfacct` and `--local-address`, for whatever mode. */
export function addConfigOptions(command: Command): Command {
  return command
    .option(
      "--proxy-config <file>",
      "kube-proxy's configuration: a KubeProxyConfiguration, or the ConfigMap that holds it; - for stdin (default: the objects' own ConfigMap kube-system/kube-proxy, if they have one)",
    )
    .addOption(
      new Option(
        "--kubernetes-version <version>",
        "whose kube-proxy is followed (default: the latest)",
      ).choices(KUBERNETES_VERSIONS),
    )
    .option("--nfacct", "the nodes' kernels have nfacct, by which kube-proxy counts in mode iptables")
    .option(
      "--local-address <address>",
      "further address of the node, on its uplink; give it again for more",
      collectAddress,
    );
}

function readConfig(path: string): ProxyConfig {
  const { file, text } = readText(path);
  const config = parseProxyConfig(text, file);
  new DiagnosticPrinter().print(config.diagnostics);
  return config;
}

/** The same for `compile`. InputError for a configuration that cannot be read, as parseProxyConfig has it. */
export function proxyOptionsOf(given: ProxyArguments): CompileOptions {
  checkStdin({ "-f": given.filename, "--proxy-config": given.proxyConfig });
  const { mode, proxyConfig, ipvsScheduler, kubernetesVersion, nfacct, localAddress } = given;
  return {
    ...(mode === undefined ? {} : { proxy: mode }),
    ...(ipvsScheduler === undefined ? {} : { ipvsScheduler }),
    ...(proxyConfig === undefined ? {} : { proxyConfig: readConfig(proxyConfig) }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(nfacct === undefined ? {} : { nfacct }),
    ...(localAddress === undefined ? {} : { localAddresses: localAddress }),
  };
}
