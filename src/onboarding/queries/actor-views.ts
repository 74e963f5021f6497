import type { SnapshotFrom, StateValue } from 'xstate';
import { type ActorSnapshot, actorSnapshotOf } from '../../../machines/actor-snapshot.ts';
import { type JobSnapshot, stateName, statusOf } from '../../../machines/job.ts';
import { contextOf, type JobContext } from '../../../machines/progress.ts';
import type { SupervisorContext, supervisorMachine } from '../../../machines/supervisor.ts';
import type { ActorView } from '../../contract/schemas.ts';
import { redactSecrets } from '../job/redact-secrets.ts';

/** A job as its row stores it. */
export interface StoredJob {
  context: Pick<
    JobContext,
    | 'claim'
    | 'phase'
    | 'attempt'
    | 'retryAt'
    | 'waitedMs'
    | 'partial'
    | 'degraded'
    | 'results'
    | 'resumes'
    | 'error'
  >;
  state: string;
  sequence: number;
  node: string | null;
  /** When the last transition was committed, ISO 8601. */
  at: string;
}

/** The actors in the memory of this node. */
export interface LiveActors {
  node: string;
  supervisor: SnapshotFrom<typeof supervisorMachine>;
  /** The last transition of a job's actor, committed or not; `since` is ISO 8601. */
  lastTransition(jobId: string): { sequence: number; since: string } | null;
}

/** The supervisor of this node. It has no journal, so it is always read live. */
export function supervisorView({ node, supervisor }: LiveActors): ActorView {
  const { children: claims, ...context } = supervisor.context;
  const jobs = claims.map(({ symbol, jobId }) => {
    const child = childOf(supervisor, symbol);
    return { id: symbol, src: 'job', state: child && stateName(child.value), job_id: jobId };
  });
  const claimsActor = supervisor.children.claims;
  return {
    actor_id: 'supervisor',
    kind: 'supervisor',
    job_id: null,
    symbol: null,
    source: 'live',
    node,
    status: supervisor.status,
    state: stateName(supervisor.value),
    value: supervisor.value,
    context: redactSecrets(context),
    since: null,
    permit: null,
    waiting_for: supervisorWaits(stateName(supervisor.value), supervisor.context),
    children: [...(claimsActor ? [{ id: 'claims', src: 'claims', state: null, job_id: null }] : []), ...jobs],
    committed: null,
  };
}

/** A job: read live if this node runs its actor under the claim in the row, else from the row. */
export function jobView(stored: StoredJob, live: LiveActors): ActorView {
  const { claim } = stored.context;
  const child = childOf(live.supervisor, claim.symbol);
  const lives =
    child && child.context.claim.jobId === claim.jobId && child.context.claim.epoch === claim.epoch;
  return lives ? liveJobView(child, stored, live) : storedJobView(stored);
}

function liveJobView(
  child: JobSnapshot,
  stored: StoredJob,
  { node, supervisor, lastTransition }: LiveActors,
): ActorView {
  const { claim } = child.context;
  const last = lastTransition(claim.jobId);
  const line = supervisor.context.waiting.indexOf(claim.symbol);
  const state = stateName(child.value);
  const ahead = (last?.sequence ?? 0) > stored.sequence;
  return {
    ...identityOf(claim),
    ...shownSnapshot(actorSnapshotOf(child)),
    source: 'live',
    node,
    state,
    since: last?.since ?? stored.at,
    permit: child.context.permit,
    waiting_for: ahead
      ? { ...waits('commit', 'its last transition is being committed to the journal') }
      : jobWaits(state, child.context, { isClaimed: true, place: line < 0 ? null : line + 1 }),
    children: Object.keys(child.children).map((id) => ({ id, src: id, state: null, job_id: null })),
    committed: committedOf(stored),
  };
}

/** A job that has ended, runs on another node, or is shown at an earlier transition: from the journal alone. */
export function storedJobView(stored: StoredJob, snapshot?: ActorSnapshot): ActorView {
  const { state, node, at, context } = stored;
  const running = state.endsWith('.running');
  const full = { ...contextOf(undefined), ...context, permit: running };
  const runs = running ? context.phase : state.endsWith('.backingOff') ? 'sleepUntil' : null;
  return {
    ...identityOf(context.claim),
    ...shownSnapshot(
      snapshot ?? actorSnapshotOf({ value: stateValueOf(state), status: 'active', context: full }),
    ),
    source: 'journal',
    node,
    state,
    since: at,
    permit: running,
    waiting_for: jobWaits(state, context, { isClaimed: node !== null, place: null }),
    children: runs ? [{ id: runs, src: runs, state: null, job_id: null }] : [],
    committed: committedOf(stored),
  };
}

const identityOf = ({ jobId, symbol }: JobContext['claim']) =>
  ({ actor_id: jobId, kind: 'job', job_id: jobId, symbol }) as const;

const shownSnapshot = ({ status, value, context }: ActorSnapshot) => ({
  status,
  value: value as ActorView['value'],
  context: redactSecrets(context),
});

const committedOf = ({ state, sequence, at }: StoredJob): ActorView['committed'] => ({
  state,
  status: statusOf(state),
  sequence,
  at,
});

/** `processing.fetch.running` is `{ processing: { fetch: 'running' } }`: the reverse of `stateName`. */
export function stateValueOf(name: string): StateValue {
  const [first = '', ...rest] = name.split('.');
  return rest.length === 0 ? first : { [first]: stateValueOf(rest.join('.')) };
}

type Waiting = NonNullable<ActorView['waiting_for']>;

function waits(kind: Waiting['kind'], detail: string, more: Partial<Waiting> = {}): Waiting {
  return { kind, detail, until: null, place: null, ...more };
}

function jobWaits(
  state: string,
  { phase, retryAt }: Pick<JobContext, 'phase' | 'retryAt'>,
  { isClaimed, place }: { isClaimed: boolean; place: number | null },
): Waiting | null {
  const step = state.split('.').at(-1);
  if (step === 'completed' || step === 'failed' || step === 'cancelled') return null;
  if (!isClaimed) return waits('node', 'no node has claimed it yet, or its node released it');
  if (step === 'running') return waits('phase', `phase ${phase} is running`);
  if (step === 'backingOff') {
    const until = retryAt === null ? null : new Date(retryAt).toISOString();
    return waits('time', 'it retries at this time', { until });
  }
  return waits('permit', 'all permits of its node are in use, or onboarding is paused', { place });
}

function supervisorWaits(state: string, context: SupervisorContext): Waiting | null {
  const { paused, permits, concurrency, children } = context;
  if (state === 'drained') return null;
  if (state === 'draining')
    return waits('children', `${children.length} jobs are still finishing their phase`);
  if (paused) return waits('operator', 'onboarding is paused; POST /onboarding/resume resumes it');
  if (permits.length >= concurrency) return waits('children', 'every permit is in use');
  return waits('work', 'it waits for a job to claim');
}

function childOf(supervisor: SnapshotFrom<typeof supervisorMachine>, symbol: string): JobSnapshot | null {
  const child = supervisor.children[symbol];
  return child && symbol !== 'claims' ? (child.getSnapshot() as JobSnapshot) : null;
}
