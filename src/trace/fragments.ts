import { printIp } from "../net/ip.js";
import { firstEnd, secondEnd, type TraceRecord } from "./record.js";
import type { Step } from "./step.js";

const MORE = 0x8000_0000;

/** A fragment as it came: `10.0.0.1 > 10.0.0.2: fragment of 7, octets 1480 to 2000, more to come`. */
export function tellFragment(record: TraceRecord): Step {
  const { c: offset, d, e: id } = record;
  const more = d >= MORE;
  const length = more ? d - MORE : d;
  const [src, dst] = [printIp(firstEnd(record, record.a)), printIp(secondEnd(record, record.b))];
  const text = `${src} > ${dst}: fragment of ${id}, octets ${offset} to ${offset + length}${more ? ", more to come" : ""}`;
  return { stage: "fragment", text, src, dst, octets: length, offset, more, id };
}

/** The last one was there: the datagram goes on whole. */
export function tellWhole({ a: octets, b: fragments }: TraceRecord): Step {
  return { stage: "fragment", text: `whole, of ${fragments}: ${octets} octets`, octets, fragments };
}
