import type { ObjectName } from "../model/object-name.js";
import { base32Sha256 } from "./chain-name.js";
import type { Frontend } from "./frontends.js";

/** kube-proxy leaves 16 of the kernel's 256 characters to the prefix. */
const NAME_LENGTH = 240;

const ENDPOINT = "endpoint-";

type NamedPort = Pick<Frontend, "protocol" | "portName"> & { readonly service: ObjectName };

/** A prefix, and a hash of the texts together and they themselves, which are cut where that is too long. */
function hashed(prefix: string, text: string, rest: string): string {
  // join makes one piece, where a template would keep its parts: there are hundreds of thousands.
  const full = [prefix, base32Sha256(text, 8, rest), "-", text, rest].join("");
  const most = prefix.length + NAME_LENGTH;
  return full.length > most ? `${full.slice(0, most - 3)}...` : full;
}

/** `ns1/svc1/tcp/p80`: a service port, as the names of its chains have it. */
export function nftPortName({ service, protocol, portName }: NamedPort): string {
  return `${service.namespace}/${service.name}/${protocol.toLowerCase()}/${portName}`;
}

/** `ULMVA6XW-ns1/svc1/tcp/p80`: a chain's name without its prefix (service-, local-, external-, firewall-). */
export function nftServiceName(port: string): string {
  return hashed("", port, "");
}

/** `endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80`; takes the endpoint as `ip:port`, IPv6 in brackets. */
export function nftEndpointChain(port: string, endpoint: string): string {
  const colon = endpoint.lastIndexOf(":");
  const address = endpoint.slice(0, colon);
  const plain = address.startsWith("[") ? address.slice(1, -1).replaceAll(":", ".") : address;
  return hashed(ENDPOINT, port, `__${plain}/${endpoint.slice(colon + 1)}`);
}

/** `affinity-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80`: the set of the clients that an endpoint's chain holds. */
export function nftAffinitySet(endpointChain: string): string {
  return `affinity-${endpointChain.slice(ENDPOINT.length)}`;
}
