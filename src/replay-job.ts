import { machineVersion } from '../machines/protocol.ts';
import { type ReplayStep, replay, unreplayable } from '../machines/replay.ts';
import { readConfig } from './config/config.ts';
import type { Database } from './database/database.orm.ts';
import { openExisting } from './diagnose-here.ts';
import { normaliseSymbol } from './market/normalise-symbol.ts';
import { type JobJournal, journalOf } from './onboarding/queries/actor.query.ts';

/** 0: the journal agrees with the machine. 1: it differs. 2: it could not be replayed. */
export type ReplayExit = 0 | 1 | 2;

export const replayUsage = `Usage: npm run replay -- JOB

Replays the journal of a job through the machine's pure transition function and shows for each transition whether the
machine of this version reaches the same state and context. JOB is the id of a job, or a symbol for its newest job.
Reads DATABASE_URL, or DATA_DIR if no service runs on it. Writes nothing.

Exit status 0: the journal agrees. 1: it differs; the last line has the first difference. 2: the job or the database
does not exist, or the journal is incomplete.`;

/** `npm run replay -- JOB`: returns the exit status, and prints the result through `print`. */
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
    print(`Expected a database of this service, got: ${reason} Check DATABASE_URL and DATA_DIR.`);
    return 2;
  } finally {
    await opened.database.close();
  }
}

/** The same on an open database. */
export async function replayJob(
  database: Database,
  name: string,
  print: (line: string) => void,
): Promise<ReplayExit> {
  const id = await jobId(database, name);
  const journal = id === null ? null : await journalOf(database, id);
  if (journal === null) {
    print(`Expected the id or the symbol of a job, got: ${name}. GET /onboarding/jobs lists all jobs.`);
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
