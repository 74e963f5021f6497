import { AppError } from '../kernel/errors.ts';
import type { ProviderName } from './provider.ts';

/**
 * All failures of market-data providers, so that every provider uses the same codes and messages.
 *
 * Codes are stable. `provider_*` are transient: `provider_throttled`, `provider_paused` and `provider_busy` carry
 * `retryAt` and use up no attempt. All others are permanent.
 */
export const failures = {
  timeout: ({ provider, ...options }: Source & { deadlineMs?: number }): AppError =>
    new AppError(
      'provider_timeout',
      `${names[provider]} did not answer in time${options.deadlineMs === undefined ? '' : ` (${options.deadlineMs} ms)`}`,
      { retryable: true, details: { provider }, cause: options.cause },
    ),

  unavailable: ({ provider, what, cause, status }: Source & { what: string; status?: number }): AppError =>
    new AppError('provider_unavailable', `${names[provider]} ${what}`, {
      retryable: true,
      details: status === undefined ? { provider } : { provider, status },
      cause,
    }),

  throttled: ({ provider, retryAt, cause }: Source & { retryAt: number }): AppError =>
    new AppError('provider_throttled', `${names[provider]} throttles requests until ${instant(retryAt)}`, {
      retryAt,
      details: { provider },
      cause,
    }),

  paused: ({ provider, retryAt }: Source & { retryAt: number }): AppError =>
    new AppError(
      'provider_paused',
      `${names[provider]} failed repeatedly; requests are paused until ${instant(retryAt)}`,
      { retryAt, details: { provider } },
    ),

  busy: ({ provider, retryAt, waiting }: Source & { retryAt: number; waiting: number }): AppError =>
    new AppError(
      'provider_busy',
      `${waiting} requests to ${names[provider]} are already waiting; next try at ${instant(retryAt)}`,
      { retryAt, details: { provider, waiting } },
    ),

  notFound: ({ provider, symbol, cause }: Source & { symbol: string }): AppError =>
    new AppError('symbol_not_found', `${names[provider]} has no symbol ${symbol}`, {
      details: { provider, symbol },
      cause,
    }),

  noPriceData: ({ symbol, bars, cause }: { symbol: string; bars: number; cause?: unknown }): AppError =>
    new AppError(
      'no_price_data',
      `no price data for ${symbol}: expected at least 2 daily closes, got: ${bars}`,
      {
        details: { symbol, bars },
        cause,
      },
    ),

  unusable: ({ symbol, date, what }: { symbol: string; date?: string; what: string }): AppError =>
    new AppError('unusable_data', `unusable data for ${symbol}${date ? ` on ${date}` : ''}: ${what}`, {
      details: { symbol, ...(date && { date }) },
    }),

  delisted: ({ symbol, lastClose, lastDate, currency }: LastBar): AppError =>
    new AppError(
      'delisted',
      `${symbol} is no longer traded: its last close was ${lastClose}${currency ? ` ${currency}` : ''} on ${lastDate}`,
      { details: { symbol, lastClose, lastDate, currency } },
    ),
};

interface Source {
  provider: ProviderName;
  cause?: unknown;
}

interface LastBar {
  symbol: string;
  lastClose: string;
  lastDate: string;
  currency: string | null;
}

const names: Record<ProviderName, string> = {
  yahoo: 'Yahoo Finance',
  files: 'the directory of price files',
  simulated: 'the simulated market',
};

const instant = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
