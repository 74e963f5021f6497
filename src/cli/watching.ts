import type { FrameOf, PortfolioView } from '../contract/schemas.ts';
import type { SymbolProgress } from './render.ts';

/** The fields of a job that the feed sends: at the subscription and with each transition. */
type JobUpdate = Pick<FrameOf<'transition'>, 'symbol' | 'status' | 'phase' | 'attempt'>;

/** A symbol that is watched until its job has ended. */
export interface Watched extends SymbolProgress {
  /** The message of its status; empty until it was read. */
  message: string;
}

/** The last known progress of each symbol. */
export type Watching = ReadonlyMap<string, Watched>;

export function startWatching(symbols: readonly string[]): Watching {
  const pending = { status: 'pending', phase: null, attempt: 1, message: '' };
  return new Map(symbols.map((symbol) => [symbol, { symbol, ...pending }]));
}

/** Applies an update of the feed to a watched symbol; returns the same object if nothing changed. */
export function onTransition(watching: Watching, { symbol, status, phase, attempt }: JobUpdate): Watching {
  const before = watching.get(symbol);
  if (!before) return watching;
  return new Map(watching).set(symbol, { ...before, status, phase, attempt });
}

/** Applies the initial state of a job. A finished job has the phase it reached there, but none in a transition. */
export function onActor(watching: Watching, job: FrameOf<'actor'>['job']): Watching {
  return onTransition(watching, { ...job, phase: job.status === 'processing' ? job.phase : null });
}

/**
 * Applies a portfolio that was read after all updates so far. A symbol with an unfinished job has a phase, also if it is
 * ready and only being refreshed.
 */
export function onPortfolio(watching: Watching, { symbols }: Pick<PortfolioView, 'symbols'>): Watching {
  const next = new Map(watching);
  for (const { symbol, status, phase, message } of symbols) {
    const before = watching.get(symbol);
    if (!before) continue;
    const attempt = before.phase === phase ? before.attempt : 1;
    next.set(symbol, { symbol, status: statusOf(status, phase !== null), phase, attempt, message });
  }
  return next;
}

function statusOf(status: PortfolioView['symbols'][number]['status'], unfinished: boolean): string {
  if (unfinished) return status === 'pending' ? 'pending' : 'processing';
  return status === 'ready' ? 'completed' : 'failed';
}

/** The symbols whose shown state differs, in the order of watching. */
export function changed(before: Watching, after: Watching): Watched[] {
  return [...after.values()].filter((now) => {
    const then = before.get(now.symbol);
    return then?.status !== now.status || then.phase !== now.phase || then.attempt !== now.attempt;
  });
}

const isFinished = ({ status }: Watched): boolean => status !== 'pending' && status !== 'processing';

export function allFinished(watching: Watching): boolean {
  return [...watching.values()].every(isFinished);
}

export function failedOf(watching: Watching): Watched[] {
  return [...watching.values()].filter(({ status }) => status !== 'completed');
}
