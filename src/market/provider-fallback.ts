import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { History, HistoryRequest, LookupOptions, MarketDataProvider, Verdict } from './provider.ts';
import { type ObserveProvider, type ProviderFallback, unobserved } from './provider-calls.ts';
import { failures } from './provider-failures.ts';

export interface FallbackOptions {
  clock: Pick<Clock, 'now'>;
  /** The current job's listener for fallbacks. */
  observe?: ObserveProvider;
  onFallback?: (fallback: ProviderFallback) => void;
}

/**
 * Combines several providers into one that tries them in order. It has the name of the first.
 *
 * A symbol is valid if one provider says so, invalid if all say so, and unverifiable otherwise. A history is always
 * from one provider, the first that has it, and names it; series are never mixed. If the currency is known, a history
 * without a currency is rejected, because it may be in pence instead of pounds. If every provider fails, a transient
 * failure wins over a permanent one, and of permanent ones the most informative.
 *
 *     withFallback([yahooProvider(…), filesProvider(…)], { clock })
 */
export function withFallback(
  providers: readonly MarketDataProvider[],
  { clock, observe = unobserved, onFallback }: FallbackOptions,
): MarketDataProvider {
  const [first, ...others] = providers;
  if (first === undefined) throw new Error('expected at least one provider, got: none');
  if (others.length === 0) return first;
  return {
    name: first.name,
    lookup: (symbols, options) => lookUp(providers, symbols, options),
    async history(request) {
      const report = observe(); // the current job's listener, captured before any wait
      return historyFrom(providers, request, (fallback) => {
        const event: ProviderFallback = { kind: 'fallback', ...fallback, at: clock.now() };
        report(event);
        onFallback?.(event);
      });
    },
  };
}

async function lookUp(
  providers: readonly MarketDataProvider[],
  symbols: readonly string[],
  options: LookupOptions | undefined,
): Promise<Verdict[]> {
  const verdicts = new Map<string, Verdict>();
  let open = [...new Set(symbols)];
  for (const provider of providers) {
    if (open.length === 0) break;
    for (const verdict of await verdictsOf(provider, open, options)) {
      const { symbol } = verdict;
      const before = verdicts.get(symbol);
      verdicts.set(symbol, before ? merged(before, verdict) : verdict);
    }
    open = open.filter((symbol) => verdicts.get(symbol)?.verdict !== 'valid');
  }
  return symbols.map(
    (symbol) =>
      verdicts.get(symbol) ?? {
        symbol,
        verdict: 'unverifiable',
        reason: 'the provider did not answer for this symbol',
      },
  );
}

async function verdictsOf(
  provider: MarketDataProvider,
  symbols: readonly string[],
  options: LookupOptions | undefined,
): Promise<Verdict[]> {
  try {
    return await provider.lookup(symbols, options);
  } catch (error) {
    if (options?.signal?.aborted || !(error instanceof AppError) || !error.retryable) throw error;
    const { message: reason, retryAt } = error;
    const outage = { verdict: 'unverifiable', reason, ...(retryAt !== undefined && { retryAt }) } as const;
    return symbols.map((symbol) => ({ symbol, ...outage }));
  }
}

/** Merges the verdicts of two providers on one symbol; `before` is not valid. */
function merged(before: Verdict, next: Verdict): Verdict {
  if (next.verdict === 'valid' || before.verdict === 'valid') return next.verdict === 'valid' ? next : before;
  const reason = before.reason === next.reason ? before.reason : `${before.reason}; ${next.reason}`;
  if (before.verdict === 'unverifiable') return { ...before, reason };
  return { ...next, reason };
}

async function historyFrom(
  providers: readonly MarketDataProvider[],
  request: HistoryRequest,
  report: (fallback: Omit<ProviderFallback, 'kind' | 'at'>) => void,
): Promise<History> {
  const failed: AppError[] = [];
  for (const [index, provider] of providers.entries()) {
    try {
      return withCurrency(await provider.history(request), request);
    } catch (error) {
      if (request.signal?.aborted || !(error instanceof AppError)) throw error;
      failed.push(error);
      const next = providers[index + 1];
      const { code, message } = error;
      if (next) report({ from: provider.name, to: next.name, code, message });
    }
  }
  throw mostInformative(failed);
}

function withCurrency(history: History, { symbol, currency }: HistoryRequest): History {
  if (!currency || history.instrument.currency !== null) return history;
  throw failures.unusable({ symbol, what: `expected prices in ${currency}, got: prices without a currency` });
}

// A later code says more about the symbol.
const leastToMostInformative = ['symbol_not_found', 'no_price_data', 'unusable_data', 'delisted'];

function mostInformative(failed: readonly AppError[]): AppError {
  const passing = failed.find(({ retryable }) => retryable);
  if (passing) return passing;
  const rank = ({ code }: AppError) => leastToMostInformative.indexOf(code);
  return failed.reduce((best, one) => (rank(one) > rank(best) ? one : best));
}
