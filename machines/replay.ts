import { initialTransition, type StateValue, transition } from 'xstate';
import { type ActorSnapshot, actorSnapshotOf } from './actor-snapshot.ts';
import { type JobSnapshot, jobMachine } from './job.ts';
import { contextOf, progressOf, stateName } from './progress.ts';
import type { Claim, JobLimits, JobProgress, PhaseFailure, PhaseOutput } from './protocol.ts';

/** One row of a job's journal, as far as the machine is concerned. */
export interface JournalEntry {
  sequence: number;
  from: string | null;
  to: string;
  event: string;
  claimEpoch: number;
  error: { code: string; message: string } | null;
  actorSnapshot: unknown;
  /** What the machine was told; null where it was told nothing but the event's name. */
  input: {
    spawned?: { progress: JobProgress; limits: JobLimits };
    output?: PhaseOutput;
    failure?: PhaseFailure;
  } | null;
}

/** One transition, done again. */
export interface ReplayStep {
  entry: JournalEntry;
  /** Where the machine went. */
  to: string;
  actorSnapshot: ActorSnapshot;
  /** What the journal says otherwise, in plain words; null where it agrees. */
  difference: string | null;
}

const phaseEnd = /^(fetch|factors|universe|snapshot|cache)\.done$/;

/** Why a journal cannot be replayed, or null where it can: parts of it are gone, or older than what a replay needs. */
export function unreplayable(journal: readonly JournalEntry[]): string | null {
  const [first] = journal;
  if (!first) return 'expected at least one transition, got: none';
  if (first.sequence !== 1 && !first.input?.spawned) {
    return `expected the journal to begin with transition 1, got: ${first.sequence} (what came before is no longer kept)`;
  }
  const bare = journal.find(
    ({ event, input }) =>
      (phaseEnd.test(event) && !input?.output) ||
      ((event === 'claimed' || event === 'resumed') && !input?.spawned),
  );
  if (!bare) return null;
  return `expected transition ${bare.sequence} to tell what the machine was told, got: ${bare.event} alone (it is older than that)`;
}

type MachineEvent = Parameters<typeof jobMachine.transition>[1];

/**
 * Runs the journal of one job through the machine's pure transition function: no actor, no clock, no chance.
 *
 * Each step compares the state's name and, where the journal keeps one, the whole actor snapshot. After a step that
 * differs the machine goes on from where it is itself, so one difference may be followed by others.
 *
 * `job.created`, claims and resumptions do not come from the machine: each spawns an actor anew, from the progress that
 * the journal tells, and that is held against what the machine had reached. `job.crashed` is our own mistake, recorded
 * in the machine's place, and taken as it is.
 *
 *     replay(claim, journal).find(({ difference }) => difference !== null)   // undefined: it agrees
 */
export function replay(claim: Omit<Claim, 'epoch'>, journal: readonly JournalEntry[]): ReplayStep[] {
  let snapshot: JobSnapshot | null = null;
  return journal.map((entry) => {
    const before = snapshot;
    const next = stepOf(before, entry, claim);
    snapshot = next;
    const actorSnapshot = actorSnapshotOf(next);
    const difference =
      differenceInOrigin(before, entry) ??
      differenceInEnd(entry, { to: stateName(next.value), actorSnapshot });
    return { entry, to: stateName(next.value), actorSnapshot, difference };
  });
}

function stepOf(before: JobSnapshot | null, entry: JournalEntry, job: Omit<Claim, 'epoch'>): JobSnapshot {
  const { event, input, claimEpoch, error } = entry;
  const claim = { ...job, epoch: claimEpoch };
  if (before === null || (input?.spawned && event !== 'job.cancel')) {
    const { progress, limits } = input?.spawned ?? initialProgress();
    return initialTransition(jobMachine, { claim, progress, limits })[0];
  }
  if (event === 'job.crashed') {
    const crash = error && { ...error, phase: before.context.phase };
    return at('failed', { ...before.context, error: crash });
  }
  const [after] = transition(jobMachine, before, eventOf(entry) as MachineEvent);
  // Whoever ends a job by claiming it has counted that claim.
  return input?.spawned ? at(after.value, { ...after.context, claim }) : after;
}

function at(value: StateValue, context: JobSnapshot['context']): JobSnapshot {
  return jobMachine.resolveState({ value, context }) as JobSnapshot;
}

/** Where a job begins that nobody has claimed yet. */
function initialProgress(): { progress: JobProgress; limits: JobLimits } {
  const {
    status: _status,
    outcome: _outcome,
    error: _error,
    ...progress
  } = progressOf({
    value: 'pending',
    context: contextOf(undefined),
  });
  return { progress: { ...progress, status: 'pending' }, limits: contextOf(undefined).limits };
}

/** `fetch.done` is `xstate.done.actor.fetch` to the machine. */
function eventOf({ event, input }: JournalEntry): { type: string; output?: unknown; error?: unknown } {
  const [, actor, kind] = /^(\w+)\.(done|failed)$/.exec(event) ?? [];
  if (!actor) return { type: event };
  return kind === 'done'
    ? { type: `xstate.done.actor.${actor}`, output: input?.output }
    : { type: `xstate.error.actor.${actor}`, error: input?.failure };
}

/** What a claim must not change: it goes on where the machine had come to, at most one takeover later. */
function differenceInOrigin(before: JobSnapshot | null, { from, input }: JournalEntry): string | null {
  const reached = before && stateName(before.value);
  const isPart = before === null && input?.spawned; // the rest of the journal is no longer kept
  if (from !== reached && !isPart)
    return `expected it to come from ${reached ?? 'nowhere'}, got: ${from ?? 'nowhere'}`;
  if (!before || !input?.spawned) return null;
  const { progress } = input.spawned;
  for (const name of ['phase', 'attempt', 'retryAt', 'waitedMs', 'partial', 'degraded'] as const) {
    if (progress[name] === before.context[name]) continue;
    return `expected to go on with ${name} ${before.context[name]}, got: ${progress[name]}`;
  }
  const resumes = progress.resumes - before.context.resumes;
  if (resumes < 0 || resumes > 1) {
    return `expected ${before.context.resumes} takeovers or one more, got: ${progress.resumes}`;
  }
  // A phase may have pinned more while it ran.
  const lost = Object.keys(before.context.results).find(
    (key) => progress.results[key] !== before.context.results[key],
  );
  return lost === undefined ? null : `expected to go on with the result ${lost}, got: another or none`;
}

function differenceInEnd(
  { to, actorSnapshot, error }: JournalEntry,
  machine: Pick<ReplayStep, 'to' | 'actorSnapshot'>,
): string | null {
  if (to !== machine.to) return `expected ${machine.to}, got: ${to}`;
  if (actorSnapshot === null || actorSnapshot === undefined) return null;
  const expected: unknown = JSON.parse(JSON.stringify(machine.actorSnapshot));
  const path = firstDifference(expected, actorSnapshot);
  if (path === null) return null;
  const [mine, theirs] = [expected, actorSnapshot].map((one) => JSON.stringify(valueAt(one, path)) ?? 'none');
  return `expected ${path.join('.')} ${mine}, got: ${theirs}${error ? ` (${error.code})` : ''}`;
}

/** The path to the first thing that two JSON values do not have in common. */
function firstDifference(one: unknown, other: unknown, path: string[] = []): string[] | null {
  if (one === other) return null;
  if (!isObject(one) || !isObject(other)) return path;
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = firstDifference(one[key], other[key], [...path, key]);
    if (found) return found;
  }
  return null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
