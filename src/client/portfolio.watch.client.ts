import type { FrameOf } from '../contract/schemas.ts';
import { type FeedRequest, type Frame, feedFrames } from './feed.client.ts';

type Job = FrameOf<'actor'>['job'];

/** The state of a symbol's job. */
export type WatchedJob = Pick<
  Job,
  'job_id' | 'symbol' | 'status' | 'state' | 'phase' | 'attempt' | 'progress' | 'sequence'
> & { error: { code: string; message: string } | null };

/** A portfolio at one position of the feed. */
export interface PortfolioState {
  portfolioId: string;
  /** Position in the feed that this state includes. */
  position: number;
  /** Null while no lot is priced. */
  snapshot: FrameOf<'portfolio'>['snapshot'];
  /** The newest job of each symbol that the portfolio needs. */
  jobs: Readonly<Record<string, WatchedJob>>;
  /** Symbols with an unfinished job. */
  pending: readonly string[];
}

export interface PortfolioWatch extends Omit<FeedRequest, 'selector'> {
  portfolioId: string;
  /** Continues after the last job has ended. */
  forever?: boolean;
}

/** The states of a portfolio, one for each change, in order. */
export async function* watchPortfolio(watch: PortfolioWatch): AsyncGenerator<PortfolioState, void> {
  const { portfolioId, forever = false } = watch;
  let state = blank(portfolioId);
  let live = false;
  for await (const frame of feedFrames({ ...watch, selector: { portfolios: [portfolioId] } })) {
    if (frame.type === 'subscribed' || frame.type === 'resync') live = false;
    if (frame.type === 'subscribed') state = blank(portfolioId);
    const next = stateAfter(state, frame);
    const changed = next !== state;
    state = next;
    const begins = frame.type === 'live' && !live;
    if (frame.type === 'live') live = true;
    // The initial state arrives in several frames; an incomplete one must not be returned.
    if (!live || !(changed || begins)) continue;
    yield state;
    if (!forever && state.pending.length === 0) return;
  }
}

const blank = (portfolioId: string): PortfolioState => ({
  portfolioId,
  position: 0,
  snapshot: null,
  jobs: {},
  pending: [],
});

/** The state after a frame; the same object if nothing changed. */
export function stateAfter(state: PortfolioState, frame: Frame): PortfolioState {
  switch (frame.type) {
    case 'portfolio':
      return { ...state, position: frame.position, snapshot: frame.snapshot };
    case 'actor':
      return withJob(state, frame.position, watchedOf(frame.job));
    case 'transition': {
      const known = state.jobs[frame.symbol];
      if (known && known.job_id === frame.job_id && known.sequence >= frame.sequence) return state;
      const { job_id, symbol, status, to, attempt, progress, sequence, error } = frame;
      const phase = frame.phase ?? known?.phase ?? 'fetch';
      const job = { job_id, symbol, status, state: to, phase, attempt, progress, sequence, error };
      return withJob(state, frame.position, job);
    }
    case 'snapshot.updated':
      if (frame.portfolio_id !== state.portfolioId) return state;
      return { ...state, position: frame.position, snapshot: frame.after };
    default:
      return state;
  }
}

function watchedOf({
  job_id,
  symbol,
  status,
  state,
  phase,
  attempt,
  progress,
  sequence,
  error,
}: Job): WatchedJob {
  return { job_id, symbol, status, state, phase, attempt, progress, sequence, error };
}

function withJob(state: PortfolioState, position: number, job: WatchedJob): PortfolioState {
  const jobs = { ...state.jobs, [job.symbol]: job };
  const pending = Object.values(jobs)
    .filter(({ status }) => status === 'pending' || status === 'processing')
    .map(({ symbol }) => symbol);
  return { ...state, position, jobs, pending };
}
