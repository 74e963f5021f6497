/** What the stand-in does instead of answering. */
export const standinFaultKinds = [
  '429', // "Too Many Requests", with Retry-After if `retryAfter` is given
  '500', // a page of an upstream server
  '401', // the crumb is not taken
  '404', // the symbol is unknown
  '400', // the range lies before the first trade
  'redirect', // to the consent form, where data belongs
  'html', // 200 with a page where data belongs
  'empty', // 200 without any rows, or without any quotes
  'nulls', // rows as usual, without a single close
  'late', // the answer as usual, after `delayMs`
  'cut', // the connection breaks in the middle of the body
  'slow', // half of the body at once, the rest never
  'timeout', // nothing, ever
] as const;
export type StandinFaultKind = (typeof standinFaultKinds)[number];

export interface StandinFault {
  /** Regular expression over host, path and query, decoded: `/chart/AAPL\?`, `getcrumb`, `symbols=.*TSLA`. */
  match: string;
  kind: StandinFaultKind;
  /** How many times; without it, until the faults are set anew. */
  count?: number;
  /** The `retry-after` header of a 429, in seconds or as an HTTP date. */
  retryAfter?: string | number;
  /** How late is late. */
  delayMs?: number;
}

/**
 * Reads what came over `PUT /__control/faults`: one fault or a list.
 *
 * Throws with what was expected when it is none, a test's typing error included.
 */
export function readFaults(json: unknown): StandinFault[] {
  return (Array.isArray(json) ? json : [json]).map((fault: Partial<StandinFault> | null) => {
    const { match, kind, count, retryAfter, delayMs } = fault ?? {};
    const known = standinFaultKinds.find((one) => one === String(kind));
    if (typeof match !== 'string' || known === undefined || (count !== undefined && !(count >= 1))) {
      throw new Error(
        `expected { match, kind, count?, retryAfter?, delayMs? } with kind one of ${standinFaultKinds.join(', ')}, ` +
          `got: ${JSON.stringify(fault)}`,
      );
    }
    new RegExp(match); // throws for one that is malformed
    return {
      match,
      kind: known,
      ...(count && { count }),
      ...(retryAfter !== undefined && { retryAfter }),
      ...(delayMs !== undefined && { delayMs }),
    };
  });
}

/** The faults in force; the first that matches is used up first. */
export class FaultList {
  #faults: { fault: StandinFault; pattern: RegExp; left: number }[] = [];

  set(faults: readonly StandinFault[]): void {
    this.#faults = faults.map((fault) => ({
      fault,
      pattern: new RegExp(fault.match),
      left: fault.count ?? Number.POSITIVE_INFINITY,
    }));
  }

  list(): (StandinFault & { left: number | null })[] {
    return this.#faults.map(({ fault, left }) => ({ ...fault, left: Number.isFinite(left) ? left : null }));
  }

  take(target: string): StandinFault | null {
    const entry = this.#faults.find(({ pattern, left }) => left > 0 && pattern.test(target));
    if (entry === undefined) return null;
    entry.left -= 1;
    return entry.fault;
  }
}
