import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/** The loops of a node, each with what it does. Nothing else would show that one of them keeps failing. */
export const loops = {
  claims: 'take jobs from the queue',
  requests: 'read the requests of operators',
  permits: 'take cluster permits',
  leases: 'renew the leases of its jobs',
} as const;
export type LoopName = keyof typeof loops;

export interface LoopFailure {
  /** Seconds since the first of these failed rounds. */
  seconds: number;
  /** Rounds that failed in a row. */
  rounds: number;
  /** One sentence for operators, without internals and without a full stop. */
  reason: string;
}

export interface LoopHealth {
  /** Runs one round. Never rejects: a failure is logged and remembered, and the next round tries again. */
  round(work: () => Promise<unknown>): Promise<void>;
  /** Null if the last round succeeded or none has failed yet. */
  failure(): LoopFailure | null;
}

export type LoopHealths = Readonly<Record<LoopName, LoopHealth>>;
export type LoopFailures = Readonly<Partial<Record<LoopName, LoopFailure>>>;

/** The loops whose last round failed. */
export function failuresOf(healths: LoopHealths): LoopFailures {
  const entries = Object.entries(healths).map(([name, { failure }]) => [name, failure()] as const);
  return Object.fromEntries(entries.filter(([, failure]) => failure !== null));
}

interface LoopOptions {
  clock: Pick<Clock, 'now'>;
  log: (error: unknown) => void;
  onFailure?: (name: LoopName) => void;
}

/** The health of every loop of a node. A loop that never runs counts as healthy. */
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

/** Only messages that are safe to show: those of `AppError`, and those of the database about a statement. */
function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const isShown = error instanceof AppError || isSqlState.test(String(code));
  if (!isShown) return 'unexpected error, see the log';
  return String(message).split('\n')[0]!.replace(/\.$/, '');
}
