import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import type { PortfolioView, uploadedSchema } from '../contract/schemas.ts';
import { systemClock } from '../kernel/system.clock.ts';
import type { Answer, Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure, remarkLines, symbolLines, usageFailure } from './failure.ts';
import { follow } from './follow.client.ts';
import { progressLines, progressText, shown, table, totalsTable } from './render.ts';
import { changed, failedOf, startWatching, type Watching } from './watching.ts';

type Uploaded = z.infer<typeof uploadedSchema>;

export interface UploadOptions {
  name?: string;
  baseCurrency?: string;
  allowDuplicates?: boolean;
  dryRun?: boolean;
  watch?: boolean;
  /** Seconds. */
  wait?: number;
  idempotencyKey?: string;
}

/** `upload FILE`: saves a portfolio; with `watch` it waits until each new symbol is onboarded or has failed. */
export async function upload(context: Context, file: string, options: UploadOptions): Promise<Answer> {
  const csv = await readCsv(file);
  const uploaded = await sendPatiently(context, csv, pathOf(file, options), options);
  if (options.dryRun) return dryRunAnswer(uploaded as unknown as DryRun);
  if (options.watch) return watched(context, uploaded);
  const { portfolio_id: id, status, pending_symbols: pending, warnings } = uploaded;
  const watch = pending.slice(0, 5).map(shown).join(' ');
  return {
    document: uploaded,
    lines: [
      `Saved portfolio ${id}: ${status}.`,
      ...(pending.length > 0 ? [`${pending.length} symbols are being onboarded: ${listed(pending)}`] : []),
      ...warningLines(warnings),
      ...(pending.length > 0 ? [`To see their progress: symbol-onboarding status ${watch}`] : []),
    ],
  };
}

async function readCsv(file: string): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw usageFailure(`Cannot read the file ${file} (${code}). Use a CSV file, or - for standard input.`);
  }
}

function pathOf(file: string, options: UploadOptions): string {
  const query = new URLSearchParams();
  const name = options.name ?? nameOf(file);
  if (name !== null) query.set('name', name);
  if (options.baseCurrency !== undefined) query.set('base_currency', options.baseCurrency);
  if (options.allowDuplicates) query.set('allow_duplicates', 'true');
  if (options.dryRun) query.set('dry_run', 'true');
  return `/portfolios?${query}`;
}

/** The default name: `my portfolio` for `my portfolio.csv`; null if the service would refuse it. */
function nameOf(file: string): string | null {
  const stem =
    file === '-'
      ? ''
      : basename(file)
          .replace(/\.[^.]*$/, '')
          .trim();
  return /^(?![=+@])\P{Cc}{1,200}$/u.test(stem) ? stem : null;
}

// Our own upload, whose response was lost with the connection, is still in progress.
const inFlight = 'idempotency_in_flight';
const isInFlight = (error: unknown) => error instanceof CommandFailure && error.code === inFlight;

/** Sends the upload. With `wait` it retries while the service asks to, after the time that it asks for. */
async function sendPatiently(
  { client, output }: Context,
  csv: Uint8Array,
  path: string,
  { wait = 0, idempotencyKey = randomUUID(), dryRun = false }: UploadOptions,
): Promise<Uploaded> {
  const began = systemClock.now();
  for (;;) {
    try {
      const headers = {
        'content-type': 'text/csv',
        ...(dryRun ? {} : { 'idempotency-key': idempotencyKey }),
      };
      const { body } = await client.post<Uploaded>(path, { body: csv, headers, repeatable: true });
      return body;
    } catch (error) {
      const later = retryAt(error);
      const patienceMs = isInFlight(error) ? client.timeoutMs : wait * 1000;
      if (later === null || later > began + patienceMs) throw error;
      output.note(`${shown((error as Error).message)} Trying again at ${timeOf(later)}.`);
      await systemClock.sleepUntil(later);
    }
  }
}

const pauseDefault = 5; // the default of the service

function retryAt(error: unknown): number | null {
  if (!(error instanceof CommandFailure)) return null;
  if (error.exitCode !== exitCodes.tryLater && !isInFlight(error)) return null;
  return systemClock.now() + (error.problem?.retry_after_seconds ?? pauseDefault) * 1000;
}

const timeOf = (epochMs: number): string => new Date(epochMs).toTimeString().slice(0, 8);

async function watched({ client, output }: Context, uploaded: Uploaded): Promise<Answer> {
  const { portfolio_id: id, pending_symbols: pending, warnings } = uploaded;
  output.emit({ type: 'uploaded', ...uploaded });
  output.print(
    `Saved portfolio ${id}: ${pending.length} symbols are being onboarded.`,
    ...warningLines(warnings),
  );
  output.ifInterrupted(
    `Interrupted. Portfolio ${id} is saved and its onboarding continues: symbol-onboarding status ${pending.slice(0, 5).join(' ')}`,
  );
  const { body: before } = await client.get<PortfolioView>(`/portfolios/${id}`);
  const onChange = progress({ output, client } as Context);
  if (pending.length > 0) onChange(startWatching([]), startWatching(pending));
  const { portfolio, watching } =
    pending.length > 0
      ? await follow(client, {
          portfolioId: id,
          symbols: pending,
          onChange,
          onFeedLost: () => output.note('Lost the live feed. Polling the portfolio until it is back.'),
        })
      : { portfolio: before, watching: startWatching([]) };
  output.endRedraw();
  const failed = failedOf(watching);
  const failures = failed.map(({ symbol, status, message }) => ({ symbol, status, message }));
  return {
    document: { type: 'result', portfolio, failed: failures },
    lines: [
      '',
      ...totalsTable(before, portfolio),
      ...(failed.length > 0 ? ['', ...failureTable(failures)] : []),
    ],
    exitCode: failed.length > 0 ? exitCodes.refused : exitCodes.done,
  };
}

/** Progress bars on a terminal, else a line per change; a document per change with `--json`. */
function progress({ output }: Context): (before: Watching, after: Watching) => void {
  return (before, after) => {
    for (const { symbol, status, phase, attempt } of changed(before, after)) {
      output.emit({ type: 'progress', symbol, status, phase, attempt });
    }
    if (output.redraw) return output.redraw(fitted(progressLines([...after.values()].map(printable))));
    for (const one of changed(before, after)) output.print(`  ${shown(one.symbol)}: ${progressText(one)}`);
  };
}

const printable = <Named extends { symbol: string }>(one: Named): Named => ({
  ...one,
  symbol: shown(one.symbol),
});

// Lines that do not fit on the terminal cannot be redrawn: they would scroll at every change.
function fitted(lines: string[]): string[] {
  const room = Math.max(5, (process.stdout.rows || 24) - 2);
  return lines.length <= room
    ? lines
    : [...lines.slice(0, room - 1), `  and ${lines.length - room + 1} more`];
}

const failureTable = (failures: { symbol: string; status: string; message: string }[]): string[] =>
  table(
    ['symbol', 'status', 'reason'],
    failures.map(({ symbol, status, message }) => [shown(symbol), status, shown(message)]),
  );

function warningLines(warnings: Uploaded['warnings']): string[] {
  return warnings.length > 0 ? [`${warnings.length} warnings:`, ...remarkLines(warnings)] : [];
}

const listed = (symbols: readonly string[]): string =>
  symbols.length > 20
    ? `${symbols.slice(0, 20).map(shown).join(', ')} and ${symbols.length - 20} more`
    : symbols.map(shown).join(', ');

/** The fields of a dry run that this program reads. */
interface DryRun {
  would: 'ready' | 'pending' | 'rejected' | 'queue_full';
  detail?: string;
  errors?: Uploaded['warnings'];
  symbols?: { symbol: string; reason: string }[];
  pending_symbols?: string[];
  warnings?: Uploaded['warnings'];
}

function dryRunAnswer(answer: DryRun): Answer {
  const { would, detail, errors = [], symbols = [], pending_symbols: pending = [], warnings = [] } = answer;
  const ends = { rejected: exitCodes.refused, queue_full: exitCodes.tryLater, ready: 0, pending: 0 };
  return {
    document: answer,
    lines: [
      `Nothing was saved. An upload would be: ${would.replace('_', ' ')}.`,
      ...(detail === undefined ? [] : [shown(detail)]),
      ...remarkLines(errors),
      ...symbolLines(symbols),
      ...(pending.length > 0 ? [`${pending.length} symbols would be onboarded: ${listed(pending)}`] : []),
      ...warningLines(warnings),
    ],
    exitCode: ends[would],
  };
}
