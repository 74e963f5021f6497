import { AppError } from '../../kernel/errors.ts';
import type { ProxySource } from '../../market/proxy-source.ts';
import { lastCompletedSession, lastNewYorkSession } from '../../market/sessions.ts';
import type { CompletedSession, UpkeepStore } from './refresh.store.ts';

export interface UpkeepPorts {
  store: UpkeepStore;
  proxies: Pick<ProxySource, 'current'>;
  clock: { now(): number };
  depthMax: number;
  /** Jobs admitted and not finished, over the whole cluster. */
  unfinished(): Promise<readonly string[]>;
  retry(jobId: string): Promise<unknown>;
}

export interface Upkeep {
  /** Refreshes symbols whose exchange completed a session after their last bar, as far as there is room. */
  refresh(): Promise<void>;
  /** Measures exposures that are placeholders only because the proxies were unavailable. */
  remeasure(): Promise<void>;
  /** Requests splits back to the entry date of the oldest lots. */
  splits(): Promise<void>;
  /** Onboards missing exchange rates that neither an upload nor a job could admit earlier. */
  rates(): Promise<void>;
  /** The progress of the refresh: symbols that still wait for a job, and unfinished jobs. */
  progress(): Promise<{ due: number; unfinished: number }>;
  /** Call it when a job ends. Returns whether to refresh again: symbols were left out for lack of room, and room is free. */
  ended(): boolean;
}

// Share of the queue depth that must be freed before the next query for due symbols. For 5000 due symbols it takes 160 ms
// and blocks the embedded database for that time, so it does not run after every job.
const lookShare = 1 / 8;

/**
 * Jobs that keep the universe up to date. They use the room that uploads leave, and fill at most half of the queue.
 *
 * Each exchange has its own sessions. A symbol is due when a completed session has no bar yet. The database says what is
 * due, not a timer: a service that was down when a session ended finds the due symbols at its start, and several nodes
 * that run this at the same time admit each symbol once.
 */
export function upkeepOf({ store, proxies, clock, depthMax, unfinished, retry }: UpkeepPorts): Upkeep {
  let isWaiting = false;
  let endedSince = 0;
  const room = async () => Math.max(1, Math.floor(depthMax / 2)) - (await unfinished()).length;
  const sessions = async (): Promise<CompletedSession[]> => {
    const now = clock.now();
    return (await store.hours()).map((hours) => ({
      ...hours,
      session: lastCompletedSession({ now, ...hours }),
    }));
  };
  return {
    async refresh() {
      endedSince = 0;
      const completed = await sessions();
      const free = await room();
      const admitted = free > 0 ? await store.refresh(completed, free) : 0;
      isWaiting = free <= 0 || admitted === free ? (await store.progress(completed)).due > 0 : false;
    },
    async remeasure() {
      const [any] = await store.unmeasured(lastNewYorkSession(clock.now()), 1);
      const version = any ? await currentVersionOf(proxies) : null;
      if (version === null) return;
      const free = await room();
      if (free <= 0) return;
      const due = await store.unmeasured(version, free);
      for (const { jobId } of due) if (jobId !== null) await retry(jobId);
      await store.admit(due.flatMap(({ symbol, jobId }) => (jobId === null ? [symbol] : [])));
    },
    async splits() {
      const free = await room();
      if (free > 0) await store.deepen(free);
    },
    async rates() {
      const lacking = await store.lackingRates();
      if (lacking.length > 0) await store.requestRates(lacking, { session: lastNewYorkSession(clock.now()) });
    },
    progress: async () => store.progress(await sessions()),
    ended() {
      endedSince += 1;
      return isWaiting && endedSince >= Math.floor(depthMax * lookShare);
    },
  };
}

/** The proxy version, or null while the proxies are unavailable: one fetch, shared with all jobs (single-flight), no retry. */
async function currentVersionOf(proxies: Pick<ProxySource, 'current'>): Promise<string | null> {
  try {
    return (await proxies.current()).version;
  } catch (error) {
    if (error instanceof AppError && error.retryable) return null;
    throw error;
  }
}
