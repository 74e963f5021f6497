import { stripVTControlCharacters, styleText } from 'node:util';
import { type Phase, phases } from '../../machines/protocol.ts';

/** Where a symbol is, as the feed tells it. */
export interface SymbolProgress {
  symbol: string;
  status: string;
  phase: Phase | null;
  attempt: number;
}

export interface ResultRow {
  symbol: string;
  outcome: string;
  /** What this symbol was to end as. */
  expected: string;
  lastClose: string | null;
  marketBeta: number | null;
  /** From the upload to the end of its job. */
  seconds: number | null;
}

const barWidth = 20;

/** One line per symbol: a bar, and the phase it is in. */
export function progressLines(symbols: readonly SymbolProgress[]): string[] {
  const width = Math.max(...symbols.map(({ symbol }) => symbol.length));
  return symbols.map((one) => `  ${one.symbol.padEnd(width)} ${bar(one)} ${doing(one)}`);
}

function bar({ status, phase }: SymbolProgress): string {
  const done = status === 'completed' ? 1 : phase ? (phases.indexOf(phase) + 0.5) / phases.length : 0;
  const filled = Math.round(done * barWidth);
  const color = status === 'completed' ? 'green' : status === 'failed' ? 'red' : 'cyan';
  return styleText(color, '█'.repeat(filled)) + styleText('gray', '░'.repeat(barWidth - filled));
}

export function doing({ status, phase, attempt }: SymbolProgress): string {
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

/** Two columns of totals, before and after. */
export function totalsTable(
  rows: readonly (readonly [name: string, before: string, after: string])[],
): string[] {
  return table(['', 'at upload', 'onboarded'], rows, 1);
}

/** Columns from `rightFrom` on are aligned to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[], rightFrom: number): string[] {
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
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`;
  return [styleText('bold', line(head)), rule, ...rows.map(line)];
}

const shownWidth = (text: string): number => stripVTControlCharacters(text).length;

/** An exact decimal string as money: `1234.5` in USD is `$1,234.50`. */
export function money(amount: string | null | undefined, currency: string): string {
  if (amount == null) return '–';
  // Intl formats a decimal string digit by digit; only its type has not heard of it.
  return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount as unknown as number);
}
