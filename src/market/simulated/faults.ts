/** What goes wrong: on histories, or, with the prefix, on lookups. */
export const faultKinds = [
  'timeout',
  '429',
  '500',
  'empty',
  'lookup-timeout',
  'lookup-429',
  'lookup-500',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A fault of one symbol: `count` times, then never again. */
export interface Fault {
  symbol: string;
  kind: FaultKind;
  /** `Infinity` without a count. */
  count: number;
}

/**
 * Reads `SIMULATED_FAULTS`: entries `symbol=kind` or `symbol=kind:count`, separated by commas.
 *
 * Several entries of one symbol happen one after the other. Throws when an entry is not understood, naming them all.
 *
 *     parseFaults('AAPL=timeout:2,EURUSD=X=empty')
 *     // [{ symbol: 'AAPL', kind: 'timeout', count: 2 }, { symbol: 'EURUSD=X', kind: 'empty', count: Infinity }]
 */
export function parseFaults(text: string): Fault[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const faults = entries.map(parseFault);
  const wrong = entries.filter((_, index) => faults[index] === null);
  if (wrong.length > 0) {
    throw new Error(
      `expected faults as symbol=kind or symbol=kind:count, kind one of ${faultKinds.join(', ')}, ` +
        `count at least 1, got: ${wrong.join(', ')}`,
    );
  }
  return faults.filter((fault) => fault !== null);
}

/**
 * Hands the faults out: each call takes one from the first entry of the symbol that has any left.
 *
 * `take(symbol, 'history')` answers `timeout`, `429`, `500`, `empty` or null; `'lookup'` the same without `empty`.
 */
export function planFaults(faults: readonly Fault[]): {
  take(symbol: string, call: 'lookup' | 'history'): 'timeout' | '429' | '500' | 'empty' | null;
} {
  const left = faults.map((fault) => ({ ...fault }));
  return {
    take(symbol, call) {
      const fault = left.find(
        (one) =>
          one.symbol === symbol && one.count > 0 && one.kind.startsWith(lookupPrefix) === (call === 'lookup'),
      );
      if (fault === undefined) return null;
      fault.count -= 1;
      return fault.kind.replace(lookupPrefix, '') as 'timeout' | '429' | '500' | 'empty';
    },
  };
}

const lookupPrefix = 'lookup-';

function parseFault(entry: string): Fault | null {
  // The last `=` divides: symbols such as EURUSD=X have one of their own.
  const parts = /^(?<symbol>.+)=(?<kind>[^=:]+)(?::(?<count>\d{1,6}))?$/.exec(entry)?.groups;
  const kind = faultKinds.find((known) => known === parts?.kind);
  const count = parts?.count === undefined ? Number.POSITIVE_INFINITY : Number(parts.count);
  if (parts?.symbol === undefined || kind === undefined || count < 1) return null;
  return { symbol: parts.symbol.trim().toUpperCase(), kind, count };
}
