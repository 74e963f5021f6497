import { initialTransition, type StateValue, transition } from 'xstate';
import { type ActorSnapshot, actorSnapshotOf } from './actor-snapshot.ts';
import { type JobSnapshot, jobMachine } from './job.ts';
import { contextOf, progressOf, stateName } from './progress.ts';
import type { Claim, JobLimits, JobProgress, PhaseFailure, PhaseOutput } from './protocol.ts';

/** The part of a journal row that a replay needs. */
export interface JournalEntry {
  sequence: number;
  from: string | null;
  to: string;
  event: string;
  claimEpoch: number;
  error: { code: string; message: string } | null;
  actorSnapshot: unknown;
  /** The input of the machine; null if the event has nothing but its name. */
  input: {
    spawned?: { progress: JobProgress; limits: JobLimits };
    output?: PhaseOutput;
    failure?: PhaseFailure;
  } | null;
}

/** One replayed transition. */
export interface ReplayStep {
  entry: JournalEntry;
  /** The state that the machine reached. */
  to: string;
  actorSnapshot: ActorSnapshot;
  /** How the journal differs, in plain words; null if it agrees. */
  difference: string | null;
}

const phaseEnd = /^(fetch|factors|universe|snapshot|cache)\.done$/;

/** The reason why a journal cannot be replayed: its first rows were pruned, or rows lack the input. Null if it can be. */
export function unreplayable(journal: readonly JournalEntry[]): string | null {
  const [first] = journal;
  if (!first) return 'expected at least one transition, got: none';
  if (first.sequence !== 1 && !first.input?.spawned) {
    return `expected the journal to begin with transition 1, got: ${first.sequence} (earlier transitions were pruned)`;
  }
  const bare = journal.find(
    ({ event, input }) =>
      (phaseEnd.test(event) && !input?.output) ||
      ((event === 'claimed' || event === 'resumed') && !input?.spawned),
  );
  if (!bare) return null;
  return `expected transition ${bare.sequence} to have the input of the machine, got: only ${bare.event} (written by an older version)`;
}

type MachineEvent = Parameters<typeof jobMachine.transition>[1];

/**
 * Replays the journal of one job through the machine's pure transition function, without actors, clock or randomness.
 *
 * Each step compares the state name and, if the journal has one, the whole actor snapshot. After a difference the machine
 * continues from its own state, so later steps may differ too.
 *
 * `job.created`, claims and resumes are not transitions of the machine. Each spawns a new actor from the progress in the
 * journal, which is compared with the state that the machine had reached. `job.crashed` records a bug of the service and
 * is taken as given.
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
  // A claim that ends its job (too many takeovers) is already counted in the journal.
  return input?.spawned ? at(after.value, { ...after.context, claim }) : after;
}

function at(value: StateValue, context: JobSnapshot['context']): JobSnapshot {
  return jobMachine.resolveState({ value, context }) as JobSnapshot;
}

/** The progress of a new, unclaimed job. */
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

/** A claim must not change the progress: it continues from the machine's state, with at most one more takeover. */
function differenceInOrigin(before: JobSnapshot | null, { from, input }: JournalEntry): string | null {
  const reached = before && stateName(before.value);
  const isPart = before === null && input?.spawned; // earlier transitions were pruned
  if (from !== reached && !isPart)
    return `expected the previous state to be ${reached ?? 'none'}, got: ${from ?? 'none'}`;
  if (!before || !input?.spawned) return null;
  const { progress } = input.spawned;
  for (const name of ['phase', 'attempt', 'retryAt', 'waitedMs', 'partial', 'degraded'] as const) {
    if (progress[name] === before.context[name]) continue;
    return `expected ${name} to stay ${before.context[name]}, got: ${progress[name]}`;
  }
  const resumes = progress.resumes - before.context.resumes;
  if (resumes < 0 || resumes > 1) {
    return `expected ${before.context.resumes} or ${before.context.resumes + 1} takeovers, got: ${progress.resumes}`;
  }
  // More results are fine: a phase may have pinned some while it ran.
  const lost = Object.keys(before.context.results).find(
    (key) => progress.results[key] !== before.context.results[key],
  );
  return lost === undefined
    ? null
    : `expected the result ${lost} to stay ${before.context.results[lost]}, got: ${progress.results[lost] ?? 'none'}`;
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

/** The path to the first difference of two JSON values. */
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
