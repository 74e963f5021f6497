import { type ProxySet, type ProxySymbol, proxies } from '../market/proxy-set.ts';
import { type Centred, centre } from './centering.ts';
import { type FactorId, factors, ridgeAlpha } from './factor-catalog.ts';
import { commonCalendar, simpleReturns } from './returns.ts';
import { prepareRidge, type RidgeDesign } from './ridge.ts';
import { spreadReturns } from './spread.ts';

/** A proxy set prepared for regressions, once for all symbols. */
export interface Reference {
  calendar: string[];
  /** `returns[proxy][t]` covers the step from `calendar[t]` to `calendar[t + 1]`. */
  returns: Record<ProxySymbol, number[]>;
  /** Cache of windows without a gap, which all symbols share that traded every session. */
  windows: Map<string, ReferenceWindow>;
}

/** The predictors of the factors with one window, on one set of dates. */
export interface ReferenceWindow {
  /** Predictors of the factors fitted one by one. Factors with a constant predictor are missing. */
  predictors: Map<FactorId, Centred>;
  /** The factors fitted jointly, in the order of the design's columns, without constant ones. Null if none is left. */
  styles: { ids: FactorId[]; design: RidgeDesign } | null;
}

export interface WindowRequest {
  /** The nominal window, which selects the factors. */
  window: number;
  /** Calendar index of each observation, ascending, at least the factors' minimum. */
  positions: readonly number[];
}

// Full windows that end today take two keys; the others are for young or halted symbols. 64 entries take about 2 MB.
const windowsMax = 64;
const references = new WeakMap<ProxySet, Reference>();

/** Calendar and returns of the eight proxies. Cached as long as the set is alive, because a set never changes. */
export function prepareProxies(set: ProxySet): Reference {
  const known = references.get(set);
  if (known !== undefined) return known;
  const calendar = commonCalendar(proxies.map((proxy) => set.closes[proxy]));
  const entries = proxies.map((proxy) => {
    const { dates, closes } = set.closes[proxy];
    const closeOn = new Map(dates.map((date, i) => [date, closes[i]!]));
    return [proxy, simpleReturns(calendar.map((date) => closeOn.get(date)!))] as const;
  });
  const returns = Object.fromEntries(entries) as Record<ProxySymbol, number[]>;
  const reference = { calendar, returns, windows: new Map() };
  references.set(set, reference);
  return reference;
}

/** The prepared predictors of a window: shared if its dates have no gap, otherwise computed for the one symbol. */
export function referenceWindow(reference: Reference, { window, positions }: WindowRequest): ReferenceWindow {
  const first = positions[0]!;
  if (positions.at(-1)! - first + 1 !== positions.length)
    return prepareWindow(reference, { window, positions });
  const key = `${window}:${first}:${positions.length}`;
  const known = reference.windows.get(key);
  if (known !== undefined) return known;
  const prepared = prepareWindow(reference, { window, positions });
  if (reference.windows.size >= windowsMax) {
    reference.windows.delete(reference.windows.keys().next().value!); // the oldest
  }
  reference.windows.set(key, prepared);
  return prepared;
}

function prepareWindow(reference: Reference, { window, positions }: WindowRequest): ReferenceWindow {
  const at = (proxy: ProxySymbol): number[] => positions.map((t) => reference.returns[proxy][t - 1]!);
  const varying = factors
    .filter((factor) => factor.window === window)
    .map(({ id, method, long, short }) => {
      const x = short === null ? at(long) : spreadReturns({ long: at(long), short: at(short) });
      return { id, method, x, centred: centre(x) };
    })
    .filter(({ centred }) => !centred.constant);
  const joint = varying.filter(({ method }) => method === 'ridge');
  return {
    predictors: new Map(varying.filter(({ method }) => method === 'ols').map((f) => [f.id, f.centred])),
    styles:
      joint.length === 0
        ? null
        : {
            ids: joint.map(({ id }) => id),
            design: prepareRidge({ x: joint.map(({ x }) => x), alpha: ridgeAlpha }),
          },
  };
}
