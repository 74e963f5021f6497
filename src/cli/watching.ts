import type { FrameOf, PortfolioView } from '../contract/schemas.ts';
import type { SymbolProgress } from './render.ts';

/** What is told of a job, when it is subscribed to and with each transition. */
type JobUpdate = Pick<FrameOf<'transition'>, 'symbol' | 'status' | 'phase' | 'attempt'>;

/** A symbol that is watched until its job is over. */
export interface Watched extends SymbolProgress {
  /** What the service says about it, in plain words; empty until it was read. */
  message: string;
}

/** Symbols and how far each is, as of what was last told or read. */
export type Watching = ReadonlyMap<string, Watched>;

export function startWatching(symbols: readonly string[]): Watching {
  const pending = { status: 'pending', phase: null, attempt: 1, message: '' };
  return new Map(symbols.map((symbol) => [symbol, { symbol, ...pending }]));
}

/** What the feed tells, for the symbols that are watched; the same object where nothing changed. */
export function onTransition(watching: Watching, { symbol, status, phase, attempt }: JobUpdate): Watching {
  const before = watching.get(symbol);
  if (!before) return watching;
  return new Map(watching).set(symbol, { ...before, status, phase, attempt });
}

/** How a job is when it is subscribed to. At rest it knows the phase that it reached, where a transition has none. */
export function onActor(watching: Watching, job: FrameOf<'actor'>['job']): Watching {
  return onTransition(watching, { ...job, phase: job.status === 'processing' ? job.phase : null });
}

/**
 * What the portfolio says, read after everything that was told so far. A symbol that has an unfinished job has a
 * phase, also where it is ready and only refreshed.
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

/** The symbols whose shown state differs, in the order in which they are watched. */
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
