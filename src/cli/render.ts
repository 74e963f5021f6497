import { stripVTControlCharacters, styleText } from 'node:util';
import type { Phase } from '../../machines/protocol.ts';
import type { PortfolioView } from '../contract/schemas.ts';

/** Progress of a symbol, from the feed. */
export interface SymbolProgress {
  symbol: string;
  status: string;
  phase: Phase | null;
  attempt: number;
}

export interface ResultRow {
  symbol: string;
  outcome: string;
  /** The outcome that the demo expects. */
  expected: string;
  lastClose: string | null;
  marketBeta: number | null;
  /** From the upload to the end of its job. */
  seconds: number | null;
}

// Written out, because importing the protocol would load its schemas and slow down the command line.
const phaseOrder: readonly Phase[] = ['fetch', 'factors', 'universe', 'snapshot', 'cache'];
const barWidth = 20;

/** Foreign text as one line without control sequences for the terminal. */
export function shown(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '·');
}

/** One line per symbol: a bar and its phase. */
export function progressLines(symbols: readonly SymbolProgress[]): string[] {
  const width = Math.max(...symbols.map(({ symbol }) => symbol.length));
  return symbols.map((one) => `  ${one.symbol.padEnd(width)} ${bar(one)} ${progressText(one)}`);
}

function bar({ status, phase }: SymbolProgress): string {
  const done = status === 'completed' ? 1 : phase ? (phaseOrder.indexOf(phase) + 0.5) / phaseOrder.length : 0;
  const filled = Math.round(done * barWidth);
  const color =
    status === 'completed' ? 'green' : status === 'failed' || status === 'cancelled' ? 'red' : 'cyan';
  return styleText(color, '█'.repeat(filled)) + styleText('gray', '░'.repeat(barWidth - filled));
}

export function progressText({ status, phase, attempt }: SymbolProgress): string {
  if (status !== 'processing' || !phase) return status;
  return attempt > 1 ? `${phase}, attempt ${attempt}` : phase;
}

/** The results as an aligned table. */
export function resultTable(rows: readonly ResultRow[]): string[] {
  const cells = rows.map((row) => [
    row.symbol,
    row.outcome === row.expected ? row.outcome : styleText('red', `${row.outcome}, expected ${row.expected}`),
    row.lastClose ?? '–',
    row.marketBeta === null ? '–' : row.marketBeta.toFixed(2),
    row.seconds === null ? '–' : row.seconds.toFixed(2),
  ]);
  return table(['symbol', 'outcome', 'last close', 'market beta', 'seconds'], cells, 2);
}

/** The totals of a portfolio in two columns: at the upload, and after onboarding. */
export function totalsTable(before: PortfolioView, after: PortfolioView): string[] {
  const [a, b] = [before.snapshot, after.snapshot];
  const currency = after.base_currency;
  const percent = (value: string | null | undefined) => (value == null ? '–' : `${value} %`);
  const rows = [
    ['total value', money(a?.total_value, currency), money(b?.total_value, currency)],
    ['total cost', money(a?.total_cost, currency), money(b?.total_cost, currency)],
    ['gain', money(a?.total_pnl, currency), money(b?.total_pnl, currency)],
    ['gain in percent', percent(a?.pnl_percent), percent(b?.pnl_percent)],
    ['priced lots', String(a?.position_count ?? 0), String(b?.position_count ?? 0)],
    ['pending lots', String(a?.pending_count ?? '–'), String(b?.pending_count ?? '–')],
    ['coverage of cost', a?.coverage ?? '–', b?.coverage ?? '–'],
    ['status', before.status, after.status],
  ];
  return table(['', 'at upload', 'onboarded'], rows, 1);
}

/** Aligned columns with headings; those from `rightFrom` on are aligned to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  rightFrom: number = head.length,
): string[] {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(shownWidth)),
  );
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const room = ' '.repeat(widths[column]! - shownWidth(cell));
      return column < rightFrom ? cell + room : room + cell;
    });
    return `  ${padded.join('  ')}`.trimEnd();
  };
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`.trimEnd();
  return [styleText('bold', line(head)), rule, ...rows.map(line)];
}

const shownWidth = (text: string): number => stripVTControlCharacters(text).length;

/** An exact decimal string as money: `1234.5` in USD is `$1,234.50`. */
function money(amount: string | null | undefined, currency: string): string {
  if (amount == null) return '–';
  // Intl formats decimal strings exactly; its type lacks that.
  return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount as unknown as number);
}
