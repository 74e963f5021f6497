import type { Clock } from '../../kernel/clock.ts';
import type { AppError } from '../../kernel/errors.ts';
import { cleanBars, type RawBar } from '../bars.ts';
import { isWellFormed, malformedReason } from '../normalise-symbol.ts';
import type { History, HistoryRequest, MarketDataProvider, Verdict } from '../provider.ts';
import { noteRequest, type ObserveProvider, unobserved } from '../provider-calls.ts';
import { failures } from '../provider-failures.ts';
import { type CountingProvider, countRequests } from '../request-counts.ts';
import { lastCompletedSession } from '../sessions.ts';
import { type Fault, planFaults } from './faults.ts';
import { type SimulatedListing, simulatedListing } from './simulated-listings.ts';
import { simulatedActions, simulatedBars } from './simulation.ts';

export interface SimulatedProviderOptions {
  clock: Clock;
  /** Selects the market: the same seed gives the same prices. */
  seed?: number;
  /** Duration of each call. */
  latencyMs?: number;
  /** From `parseFaults`. */
  faults?: readonly Fault[];
  /** The pause that a `429` fault demands. */
  throttleMs?: number;
  /** The current job's listener for requests. */
  observe?: ObserveProvider;
}

/**
 * Market data from the simulation: every well-formed symbol exists except those that begin with `NOPE`.
 *
 * Its bars are those of `simulation.ts` up to the last completed session, cleaned like those of any provider. A fault
 * replaces the answer, after the same latency; a `timeout` fault reports the timeout without waiting for it.
 *
 *     const market = simulatedProvider({ clock: systemClock, faults: parseFaults('AAPL=timeout:2') });
 *     market.requests().history   // 0: it counts its calls
 */
export function simulatedProvider(options: SimulatedProviderOptions): CountingProvider {
  const { clock, seed = 1, latencyMs = 0, faults = [], throttleMs = 1000, observe = unobserved } = options;
  const plan = planFaults(faults);

  const answered = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    if (latencyMs > 0) await clock.sleepUntil(clock.now() + latencyMs, signal);
  };

  const market: MarketDataProvider = {
    name: 'simulated',
    async lookup(symbols, { signal } = {}) {
      await answered(signal);
      return symbols.map((symbol) => {
        const fault = plan.take(symbol, 'lookup');
        return fault === null ? verdictOn(symbol) : unverifiable(symbol, failureOf(fault, symbol));
      });
    },
    async history({ signal, ...request }) {
      const { symbol, from, to } = request;
      const query = new URLSearchParams({ symbol, from, to });
      const note = noteRequest(observe(), {
        provider: 'simulated',
        url: `simulated:history?${query}`,
        clock,
      });
      try {
        await answered(signal);
        const fault = plan.take(symbol, 'history');
        if (fault !== null) throw failureOf(fault, symbol);
        const history = historyOf(request, { seed, now: clock.now() });
        note.ended();
        return history;
      } catch (error) {
        note.ended(error);
        throw error;
      }
    },
  };

  const failureOf = (fault: 'timeout' | '429' | '500' | 'empty', symbol: string): AppError => {
    const provider = 'simulated';
    if (fault === 'timeout') return failures.timeout({ provider });
    if (fault === '429') return failures.throttled({ provider, retryAt: clock.now() + throttleMs });
    if (fault === '500')
      return failures.unavailable({ provider, what: 'answered with status 500', status: 500 });
    return failures.noPriceData({ symbol, bars: 0 });
  };

  return countRequests(market);
}

function listingOf(symbol: string): SimulatedListing | null {
  return isWellFormed(symbol) ? simulatedListing(symbol) : null;
}

function verdictOn(symbol: string): Verdict {
  const listing = listingOf(symbol);
  if (listing !== null) return { symbol, verdict: 'valid', instrument: listing.instrument };
  const reason = isWellFormed(symbol)
    ? failures.notFound({ provider: 'simulated', symbol }).message
    : malformedReason;
  return { symbol, verdict: 'invalid', reason };
}

function unverifiable(symbol: string, { message, retryAt }: AppError): Verdict {
  return { symbol, verdict: 'unverifiable', reason: message, ...(retryAt !== undefined && { retryAt }) };
}

function historyOf(
  { symbol, from, to, actionsFrom = from }: HistoryRequest,
  { seed, now }: { seed: number; now: number },
): History {
  const listing = listingOf(symbol);
  if (listing === null) throw failures.notFound({ provider: 'simulated', symbol });
  const { instrument, quoteUnit, tradesWeekends } = listing;
  const session = lastCompletedSession({ now, ...instrument, tradesWeekends });
  const rows: RawBar[] = simulatedBars({ seed, symbol, from, to, session });
  return {
    provider: 'simulated',
    instrument,
    bars: cleanBars({ instrument, quoteUnit, rows, from, to, now }),
    actions: simulatedActions({ seed, symbol, from: actionsFrom, to, session }),
  };
}
