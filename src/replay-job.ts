import { machineVersion } from '../machines/protocol.ts';
import { type ReplayStep, replay, unreplayable } from '../machines/replay.ts';
import { readConfig } from './config/config.ts';
import type { Database } from './database/database.orm.ts';
import { openExisting } from './diagnose-here.ts';
import { normaliseSymbol } from './market/normalise-symbol.ts';
import { type JobJournal, journalOf } from './onboarding/queries/actor.query.ts';

/** 0: the journal agrees with the machine. 1: it differs. 2: there is nothing to say. */
export type ReplayExit = 0 | 1 | 2;

export const replayUsage = `Usage: npm run replay -- JOB

Runs the journal of a job through the machine's pure transition function and says, transition by transition, whether the
machine of this version comes to the same states and contexts. JOB is a job's id, or a symbol: its newest job. Reads
DATABASE_URL, or DATA_DIR while no service runs on it; writes nothing.

Exit status 0: it agrees. 1: it differs, the first difference is told last. 2: there is no such job or no such
database, or its journal is not complete.`;

/** `npm run replay -- JOB`: answers the exit status, and says the rest through `print`. */
export async function replayCommand(
  names: readonly string[],
  environment: Record<string, string | undefined>,
  print: (line: string) => void,
): Promise<ReplayExit> {
  const [name] = names;
  if (name === undefined || names.length > 1 || name.startsWith('-')) {
    print(replayUsage);
    return 2;
  }
  const answer = readConfig(environment);
  if ('problems' in answer) {
    for (const { message } of answer.problems) print(message);
    return 2;
  }
  const opened = await openExisting(answer.config);
  if ('finding' in opened) {
    print(`${opened.finding.evidence} ${opened.finding.cure}`);
    return 2;
  }
  try {
    return await replayJob(opened.database, name, print);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    print(`Expected a database of this service, got: ${reason} Look at DATABASE_URL or DATA_DIR.`);
    return 2;
  } finally {
    await opened.database.close();
  }
}

/** The same on a database that is open. */
export async function replayJob(
  database: Database,
  name: string,
  print: (line: string) => void,
): Promise<ReplayExit> {
  const id = await jobId(database, name);
  const journal = id === null ? null : await journalOf(database, id);
  if (journal === null) {
    print(`Expected a job's id or the symbol of one, got: ${name}. GET /onboarding/jobs lists the jobs.`);
    return 2;
  }
  print(headOf(journal));
  const gap = unreplayable(journal.entries);
  if (gap !== null) {
    print(`The journal cannot be replayed: ${gap}.`);
    return 2;
  }
  const steps = replay(journal.job, journal.entries);
  for (const line of stepLines(steps)) print(line);
  const first = steps.find(({ difference }) => difference !== null);
  print(
    first
      ? `The journal differs from the machine, first at transition ${first.entry.sequence}: ${first.difference}.`
      : 'The journal agrees with the machine.',
  );
  return first ? 1 : 0;
}

const isId = (name: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name);

async function jobId(database: Database, name: string): Promise<string | null> {
  if (isId(name)) return name;
  const { symbol } = normaliseSymbol(name);
  const [newest] = await database.sql<{ id: string }>(
    'select id from onboarding_jobs where symbol = $1 order by id desc limit 1',
    [symbol],
  );
  return newest?.id ?? null;
}

function headOf({ job, entries, machineVersion: written }: JobJournal): string {
  const versions =
    written === machineVersion
      ? `machine version ${written}`
      : `written by machine version ${written}, run through ${machineVersion}`;
  return `${job.symbol}, job ${job.jobId}: ${entries.length} transitions, ${versions}`;
}

function stepLines(steps: readonly ReplayStep[]): string[] {
  const cells = steps.map(({ entry: { sequence, from, event, to }, difference }) => [
    String(sequence),
    from ?? '(nothing)',
    event,
    to,
    difference === null ? 'agrees' : `differs: ${difference}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padStart(widths[0]!) : cell.padEnd(widths[column] ?? 0)))
      .join('  '),
  );
}
