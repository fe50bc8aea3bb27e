import type { Family } from "../../net/ip.js";
import type { Target } from "../iptables.js";
import type { Words } from "../words.js";
import { type Fields, type OfKind, readFields } from "./match-module.js";

/** The targets of one kind. */
export type TargetOf<K extends Target["kind"]> = OfKind<Target, K>;

/** A target with a name of its own: what `-j` names where it is no chain. */
export interface TargetExtension {
  readonly name: string;
  readonly kinds: readonly Target["kind"][];
  lists(target: Target): boolean;
  /** Reads the options that it knows; undefined where they are not a target that is known. */
  read(words: Words, family: Family): Target | undefined;
  /** Its options, each with a space before it; the inverse of read. */
  print(target: Target): string;
}

/** A target some of whose options say what it is: `D` is what they say. */
interface Description<K extends Target["kind"], D> {
  readonly fields: Fields<D>;
  readonly build: (draft: Partial<D>, family: Family) => TargetOf<K> | undefined;
  readonly print: (target: TargetOf<K>) => string;
  /** Tells targets of one kind apart. */
  readonly when?: (target: TargetOf<K>) => boolean;
}

/** A target of one or more kinds that all its options describe; none of them may be negated. */
export function target<K extends Target["kind"], D>(
  name: string,
  kinds: readonly K[],
  { fields, build, print, when = () => true }: Description<K, D>,
): TargetExtension {
  return {
    name,
    kinds,
    lists: (one) => kinds.some((kind) => kind === one.kind) && when(one as TargetOf<K>),
    read(words, family) {
      const { draft, inverted } = readFields(words, fields, family);
      return inverted ? undefined : (build(draft, family) as Target | undefined);
    },
    print: (one) => print(one as TargetOf<K>),
  };
}
