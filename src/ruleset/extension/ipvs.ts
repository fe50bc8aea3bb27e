import { hostLength } from "../../net/prefix.js";
import { parseNumber, printAddress, printNetwork } from "../iptables-values.js";
import { parseProtocolNumber } from "../protocols.js";
import { readNetwork } from "./connection.js";
import { type MatchModule, moduleOf, option } from "./match-module.js";

/** The virtual server through which IPVS sends a packet. (Of the module's options those that kube-proxy uses.) */
export const IPVS: MatchModule = moduleOf("ipvs", [
  option(
    "ipvs-protocol",
    ["--vproto"],
    (words) => ({ kind: "ipvs-protocol", protocol: words.read("a protocol", parseProtocolNumber) }),
    ({ protocol }) => `${protocol}`,
  ),
  option(
    "ipvs-address",
    ["--vaddr"],
    (words, family) => ({ kind: "ipvs-address", prefix: readNetwork(words, family) }),
    ({ prefix }) => {
      const isHost = prefix.length === hostLength(prefix.address);
      return isHost ? printAddress(prefix.address) : printNetwork(prefix);
    },
  ),
  option(
    "ipvs-port",
    ["--vport"],
    (words) => ({ kind: "ipvs-port", port: words.read("a port", (word) => parseNumber(word, 0xffff)) }),
    ({ port }) => `${port}`,
  ),
]);
