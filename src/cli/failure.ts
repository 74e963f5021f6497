import { problemCatalog } from '../api/problems/problem-catalog.ts';
import type { Problem } from '../contract/schemas.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { shown, table } from './render.ts';

/** Why a command failed: `message` is for people, the codes are for scripts. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  readonly code: string;
  /** The problem response, if the service refused. */
  readonly problem: Problem | null;

  constructor(exitCode: ExitCode, code: string, message: string, problem: Problem | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.problem = problem;
  }
}

export const usageFailure = (message: string) => new CommandFailure(exitCodes.usage, 'usage', message);

/** The failure for a problem response. */
export function refusal(problem: Problem): CommandFailure {
  return new CommandFailure(exitCodeOf(problem.status), problem.code, problem.detail, problem);
}

/** With `--json`, printed on standard output instead of the result. */
export function failureDocument({ code, message, exitCode, problem }: CommandFailure) {
  return { type: 'error' as const, code, message, exit_code: exitCode, problem };
}

const catalog: Record<string, { fix: string } | undefined> = problemCatalog;
const rowsShownMax = 100; // about two screens; more rows usually repeat the same mistake

/** For standard error: what happened, each invalid row, and how to fix it. */
export function failureLines({ code, message, problem }: CommandFailure): string[] {
  if (problem === null) return [shown(message)];
  // The table of places already says how to fix each.
  const listed = (problem.errors ?? problem.symbols ?? []).length > 0;
  const fix = listed ? undefined : catalog[code]?.fix;
  return [
    `${shown(problem.title)}: ${shown(problem.detail)}`,
    ...remarkLines(problem.errors ?? []),
    ...symbolLines(problem.symbols ?? []),
    ...remarkLines(problem.warnings ?? []),
    ...(fix ? [fix] : []),
    ...(problem.retry_after_seconds === undefined ? [] : [`Try again in ${problem.retry_after_seconds} s.`]),
    ...(problem.status >= 500 ? [`Request id: ${shown(problem.request_id)}`] : []),
  ];
}

/** Row errors or warnings of an upload as a table: row, column, value, code, message. */
export function remarkLines(remarks: NonNullable<Problem['errors']>): string[] {
  if (remarks.length === 0) return [];
  const rows = remarks
    .slice(0, rowsShownMax)
    .map(({ row, column, path, value, code, message }) => [
      row == null ? '–' : String(row),
      shown(column ?? path ?? '–'),
      shown(value ?? '–').slice(0, 40),
      shown(code),
      shown(message),
    ]);
  return [...table(['row', 'column', 'value', 'code', 'message'], rows), ...more(remarks.length)];
}

/** Invalid symbols, each with its reason. */
export function symbolLines(symbols: NonNullable<Problem['symbols']>): string[] {
  if (symbols.length === 0) return [];
  const rows = symbols.slice(0, rowsShownMax).map(({ symbol, reason }) => [shown(symbol), shown(reason)]);
  return [...table(['symbol', 'reason'], rows), ...more(symbols.length)];
}

const more = (count: number): string[] =>
  count > rowsShownMax ? [`  and ${count - rowsShownMax} more; --json shows all of them.`] : [];
