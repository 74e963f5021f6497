import type { Spread } from './rounds.ts';

/** Rows of cells as a Markdown table, aligned as Biome does it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(3, ...[name, ...rows.map((row) => row[column]!)].map(({ length }) => length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** `812 (790 to 845)`: the median and how far the rounds reach. */
export function shown({ median, min, max }: Spread, digits = 0): string {
  return `${number(median, digits)} (${number(min, digits)} to ${number(max, digits)})`;
}

const number = (value: number, digits: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
