import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/** What a node does again and again, and what nobody else would notice that it fails at. */
export const loops = {
  claims: 'take jobs from the queue',
  requests: 'read what operators ask for',
  permits: 'take permits of the cluster',
  leases: 'keep the leases of its jobs',
} as const;
export type LoopName = keyof typeof loops;

export interface LoopFailure {
  /** Seconds since the first of these rounds failed. */
  seconds: number;
  /** Rounds that failed in a row. */
  rounds: number;
  /** In plain words, without internals and without a full stop. */
  reason: string;
}

export interface LoopHealth {
  /** Runs one round. Never rejects: a failure is logged, remembered, and left to the next round. */
  round(work: () => Promise<unknown>): Promise<void>;
  /** Null once a round has succeeded. */
  failure(): LoopFailure | null;
}

export type LoopHealths = Readonly<Record<LoopName, LoopHealth>>;
export type LoopFailures = Readonly<Partial<Record<LoopName, LoopFailure>>>;

/** The loops that fail now. */
export function failuresOf(healths: LoopHealths): LoopFailures {
  const entries = Object.entries(healths).map(([name, { failure }]) => [name, failure()] as const);
  return Object.fromEntries(entries.filter(([, failure]) => failure !== null));
}

interface LoopOptions {
  clock: Pick<Clock, 'now'>;
  log: (error: unknown) => void;
  onFailure?: (name: LoopName) => void;
}

/** The health of every loop of a node. One that it does not have never fails. */
export function loopHealths({ clock, log, onFailure }: LoopOptions): LoopHealths {
  const entries = (Object.keys(loops) as LoopName[]).map((name) => {
    const failed = (error: unknown) => {
      log(error);
      onFailure?.(name);
    };
    return [name, loopHealth(clock, failed)] as const;
  });
  return Object.fromEntries(entries) as LoopHealths;
}

function loopHealth(clock: Pick<Clock, 'now'>, onFailure: (error: unknown) => void): LoopHealth {
  let failing: { since: number; rounds: number; reason: string } | null = null;
  return {
    async round(work) {
      try {
        await work();
        failing = null;
      } catch (error) {
        const { since = clock.now(), rounds = 0 } = failing ?? {};
        failing = { since, rounds: rounds + 1, reason: reasonOf(error) };
        onFailure(error);
      }
    },
    failure() {
      if (failing === null) return null;
      const { since, rounds, reason } = failing;
      return { seconds: Math.max(0, clock.now() - since) / 1000, rounds, reason };
    },
  };
}

const isSqlState = /^[0-9A-Z]{5}$/;

/** What may be shown to everybody: our own words, and those of the database about a statement. */
function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const isShown = error instanceof AppError || isSqlState.test(String(code));
  if (!isShown) return 'an unexpected error; the log has it';
  return String(message).split('\n')[0]!.replace(/\.$/, '');
}
