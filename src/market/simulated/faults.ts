/** Kinds of faults: of histories, or, with the prefix, of lookups. */
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

/** A fault of one symbol that occurs `count` times. */
export interface Fault {
  symbol: string;
  kind: FaultKind;
  /** `Infinity` without a count. */
  count: number;
}

/**
 * Reads `SIMULATED_FAULTS`: entries `symbol=kind` or `symbol=kind:count`, separated by commas.
 *
 * Several entries of one symbol occur one after the other. Throws if entries are invalid, and names all of them.
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
 * Plays the faults: each call takes one from the symbol's first entry that has any left.
 *
 * `take(symbol, 'history')` returns `timeout`, `429`, `500`, `empty` or null; `'lookup'` the same without `empty`.
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
  // Split at the last `=`, because symbols such as EURUSD=X contain one.
  const parts = /^(?<symbol>.+)=(?<kind>[^=:]+)(?::(?<count>\d{1,6}))?$/.exec(entry)?.groups;
  const kind = faultKinds.find((known) => known === parts?.kind);
  const count = parts?.count === undefined ? Number.POSITIVE_INFINITY : Number(parts.count);
  if (parts?.symbol === undefined || kind === undefined || count < 1) return null;
  return { symbol: parts.symbol.trim().toUpperCase(), kind, count };
}
