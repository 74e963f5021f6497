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
  /** Refreshes what has completed a session since its last bar, as far as there is room. */
  refresh(): Promise<void>;
  /** Has exposures measured that are placeholders only because the proxies were away. */
  remeasure(): Promise<void>;
  /** Has splits asked for as far back as lots were entered. */
  splits(): Promise<void>;
  /** Has exchange rates onboarded that lots lack: what no upload and no job could admit when it was needed. */
  rates(): Promise<void>;
  /** How far the refresh of the whole universe is: symbols that still wait for a job, and unfinished jobs. */
  progress(): Promise<{ due: number; unfinished: number }>;
  /** A job has ended. Answers whether to refresh again now: symbols were left behind for want of room, and there is some. */
  ended(): boolean;
}

// Of the queue: a look at 5000 symbols that are due takes 160 ms on an embedded database, which nobody else has meanwhile,
// so not every single job that ends is worth one.
const lookShare = 1 / 8;

/**
 * The universe's own needs. They take what room uploads leave: at most half of the queue is ever filled by them.
 *
 * Each exchange has its own sessions, and each symbol is due once one of them is complete that it has no bar of. What is
 * due is asked of the database, never of a timer: a service that was down when a session ended finds it when it starts,
 * and several nodes that look at once find each symbol once.
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

/** The proxies' version, or null while they are away: one fetch, shared with all jobs, and nothing else is tried. */
async function currentVersionOf(proxies: Pick<ProxySource, 'current'>): Promise<string | null> {
  try {
    return (await proxies.current()).version;
  } catch (error) {
    if (error instanceof AppError && error.retryable) return null;
    throw error;
  }
}
