/** Where in the input something stands; printed `file: document 2: Service shop/web: spec.ports[0].port`. */
export interface Place {
  readonly file?: string;
  /** 1-based number of the YAML document in the file. */
  readonly document?: number;
  /** `Kind namespace/name`. */
  readonly object?: string;
  readonly field?: string;
}

/**
 * `note`: told for information (skipped kinds). `warning`: not modelled, so that the result differs from a real node's, or
 * hardly what was meant.
 */
export interface Diagnostic {
  readonly severity: "note" | "warning" | "error";
  readonly place: Place;
  readonly message: string;
}

export function printPlace(place: Place): string {
  const document = place.document === undefined ? undefined : `document ${place.document}`;
  return [place.file, document, place.object, place.field].filter((part) => part !== undefined).join(": ");
}

/** `shop.yaml: document 2: Service shop/web: spec.clusterIP: «10.96.0.300» is not an IP address.` */
export function printDiagnostic(diagnostic: Diagnostic): string {
  const place = printPlace(diagnostic.place);
  return place === "" ? diagnostic.message : `${place}: ${diagnostic.message}`;
}

/** Input that is refused whole, with every error found in it. */
export class InputError extends Error {
  override readonly name = "InputError";
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(printDiagnostic).join("\n"));
  }
}
