import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { History, HistoryRequest, LookupOptions, MarketDataProvider, Verdict } from './provider.ts';
import { type ObserveProvider, type ProviderFallback, unobserved } from './provider-calls.ts';
import { failures } from './provider-failures.ts';

export interface FallbackOptions {
  clock: Pick<Clock, 'now'>;
  /** Who is told of each provider that is passed over. */
  observe?: ObserveProvider;
  onFallback?: (fallback: ProviderFallback) => void;
}

/**
 * Several providers as one, tried in their order; under the name of the first.
 *
 * A symbol is valid where one of them says so, invalid where all do, and else nobody knows. A history comes whole from
 * the first that has it, and says from which: no series is ever made of two. One without a currency does not stand in
 * for prices whose currency is known: it may be in pence where those were in pounds. Where none has it, a failure that may
 * pass comes before one that will not, and of those the one that tells most about the symbol.
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
      const report = observe(); // who asks now is told, whenever the answers come
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
      verdicts.get(symbol) ?? { symbol, verdict: 'unverifiable', reason: 'the provider gave no verdict' },
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

/** Two verdicts on one symbol, neither of them valid until now. */
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

// From "there is no such symbol" to what is known of it.
const leastToMostInformative = ['symbol_not_found', 'no_price_data', 'unusable_data', 'delisted'];

function mostInformative(failed: readonly AppError[]): AppError {
  const passing = failed.find(({ retryable }) => retryable);
  if (passing) return passing;
  const rank = ({ code }: AppError) => leastToMostInformative.indexOf(code);
  return failed.reduce((best, one) => (rank(one) > rank(best) ? one : best));
}
