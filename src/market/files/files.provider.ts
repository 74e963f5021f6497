import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { cleanBars, type RawBar } from '../bars.ts';
import { isWellFormed, malformedReason } from '../normalise-symbol.ts';
import type { History, HistoryRequest, MarketDataProvider, Verdict } from '../provider.ts';
import { noteRequest, type ObserveProvider, unobserved } from '../provider-calls.ts';
import { failures } from '../provider-failures.ts';
import { FileProblem } from './file-cells.ts';
import { type DirectoryListing, priceDirectory } from './price-directory.client.ts';
import { actionsWithin, type PriceFile } from './price-file.ts';

export interface FilesProviderOptions {
  /** The setting `MARKET_DATA_DIR`. */
  directory: string;
  clock: Pick<Clock, 'now'>;
  /** The dates on which New York was open (those of SPY), for "delisted". Weekdays until they are loaded. */
  calendar?: () => readonly string[] | undefined;
  /** The current job's listener for requests. */
  observe?: ObserveProvider;
}

/**
 * Market data from an institution's own CSV files in a directory, see `docs/market-data.md`.
 *
 * A symbol exists if it has its own file or a column in the wide file; its job finds out whether that is readable. A
 * directory that is unreadable or has no prices is an outage (an unmounted disk looks like that) and makes no symbol
 * invalid. An invalid file is `unusable_data`, with its name and line.
 */
export function filesProvider(options: FilesProviderOptions): MarketDataProvider {
  const { directory, clock, calendar, observe = unobserved } = options;
  const prices = priceDirectory(directory);

  async function listed(): Promise<DirectoryListing> {
    const listing = await prices.list().catch((error: unknown) => {
      throw unreadable(error);
    });
    if (listing.files.size > 0 || listing.wide !== null) return listing;
    throw failures.unavailable({ provider: 'files', what: 'holds no price file' });
  }

  async function historyOf({
    symbol,
    from,
    to,
    actionsFrom = from,
    signal,
  }: HistoryRequest): Promise<History> {
    const listing = await listed();
    if (!has(listing, symbol)) throw failures.notFound({ provider: 'files', symbol });
    try {
      const { instrument, quoteUnit } = listing.instruments.listing(symbol);
      const file = listing.files.get(symbol);
      if (file instanceof FileProblem) throw file;
      const { rows, actions } = file ? await prices.read(file, signal) : columnsOf(listing, symbol);
      const now = clock.now();
      const bars = cleanBars({ instrument, quoteUnit, rows, from, to, now, calendar: calendar?.() });
      const last = bars.at(-1)!.date;
      return {
        provider: 'files',
        instrument,
        bars,
        actions: actionsWithin(actions, { from: actionsFrom, to: last, quoteUnit }),
      };
    } catch (error) {
      if (error instanceof FileProblem) throw failures.unusable({ symbol, what: error.message });
      throw signal?.aborted || error instanceof AppError ? error : unreadable(error);
    }
  }

  return {
    name: 'files',
    async lookup(symbols, { signal } = {}) {
      signal?.throwIfAborted();
      const listing = await listed().catch((error: unknown) => error as AppError);
      signal?.throwIfAborted();
      return symbols.map((symbol) => verdictOn(symbol, listing));
    },
    async history(request) {
      request.signal?.throwIfAborted();
      const { symbol, from, to } = request;
      const url = `files:history?${new URLSearchParams({ symbol, from, to })}`;
      const note = noteRequest(observe(), { provider: 'files', url, clock });
      try {
        const history = await historyOf(request);
        note.ended();
        return history;
      } catch (error) {
        note.ended(error);
        throw error;
      }
    },
  };
}

const has = ({ files, wide }: DirectoryListing, symbol: string): boolean =>
  isWellFormed(symbol) && (files.has(symbol) || wide?.symbols.has(symbol) === true);

function verdictOn(symbol: string, listing: DirectoryListing | AppError): Verdict {
  if (!isWellFormed(symbol)) return { symbol, verdict: 'invalid', reason: malformedReason };
  if (listing instanceof AppError) return { symbol, verdict: 'unverifiable', reason: listing.message };
  if (!has(listing, symbol)) {
    return { symbol, verdict: 'invalid', reason: failures.notFound({ provider: 'files', symbol }).message };
  }
  try {
    return { symbol, verdict: 'valid', instrument: listing.instruments.listing(symbol).instrument };
  } catch {
    return { symbol, verdict: 'valid', instrument: null }; // its job reports what is wrong with its row
  }
}

function columnsOf({ wide, adjusted }: DirectoryListing, symbol: string): PriceFile {
  const adjustedCloses = adjusted?.column(symbol);
  const rows: RawBar[] = [...wide!.column(symbol)].map(([date, close]) => ({
    date,
    close,
    adjustedClose: adjustedCloses?.get(date),
  }));
  return { rows, actions: [] };
}

function unreadable(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const what =
    error instanceof FileProblem ? `cannot be used: ${message}` : `cannot be read: ${code ?? message}`;
  return failures.unavailable({ provider: 'files', what, cause: error });
}
