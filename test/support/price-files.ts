import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lastCompletedSession } from '../../src/market/sessions.ts';
import { simulatedListing } from '../../src/market/simulated/simulated-listings.ts';
import { simulatedActions, simulatedBars } from '../../src/market/simulated/simulation.ts';

/**
 * Writes symbols of the simulated market, as of an instant, into a directory of the `files` provider: every other file
 * gzipped, and what their spellings do not tell in `instruments.csv`.
 */
export function writePriceFiles(directory: string, symbols: readonly string[], now: number, seed = 1): void {
  const instruments = ['symbol,name,type,currency,exchange,time_zone,session_end'];
  symbols.forEach((symbol, index) => {
    const listing = simulatedListing(symbol);
    if (listing === null) return;
    const { instrument, quoteUnit, tradesWeekends } = listing;
    const { name, type, exchange, timeZone, sessionEnd } = instrument;
    instruments.push([symbol, name, type, quoteUnit, exchange, timeZone, sessionEnd].join(','));
    const session = lastCompletedSession({ now, ...instrument, tradesWeekends });
    const splits = new Map(
      simulatedActions({ seed, symbol, session }).map((action) => [
        action.date,
        action.kind === 'split' ? `${action.numerator}:${action.denominator}` : '',
      ]),
    );
    const rows = simulatedBars({ seed, symbol, session }).map(
      ({ date, open, high, low, close, adjustedClose, volume }) =>
        [date, open, high, low, close, adjustedClose, volume, splits.get(date) ?? ''].join(','),
    );
    const text = ['Date,Open,High,Low,Close,Adjusted Close,Volume,Splits', ...rows].join('\n');
    const file = join(directory, `${encodeURIComponent(symbol)}.csv`);
    if (index % 2 === 0) writeFileSync(file, text);
    else writeFileSync(`${file}.gz`, gzipSync(text, { level: 1 }));
  });
  writeFileSync(join(directory, 'instruments.csv'), instruments.join('\n'));
}
