import type { ChildAddress, Claim, SupervisorLimits } from './protocol.ts';

export interface SupervisorInput extends SupervisorLimits {
  /** The most children of this node, whatever the depth: `childrenMax` of the protocol, or less. */
  childrenMax: number;
}

/** What a supervisor's machine remembers: who lives, who may run, who wants to. */
export interface SupervisorContext extends SupervisorInput {
  /** One claim per living child. */
  children: readonly Claim[];
  /** Symbols whose phase may run, never more than `concurrency`. */
  permits: readonly string[];
  /** Symbols that wait for a permit, the longest waiting first. */
  waiting: readonly string[];
  /** Nothing new begins: no permit is granted, no job is claimed. What runs goes on to its end. */
  paused: boolean;
  /** The room that the claims actor was told last, or null before the first time. */
  told: number | null;
  graceMs: number;
  /** Why this node drains although nobody asked it to. */
  fault: string | null;
}

type Held = Pick<SupervisorContext, 'children' | 'permits' | 'waiting'>;
type Capacity = Pick<SupervisorContext, 'concurrency' | 'prefetch' | 'depth' | 'childrenMax' | 'paused'>;

/**
 * How many more jobs this node may claim: its free permits, less the children that wait for one, plus what it may
 * hold ahead; and no more than it may have children. A child that backs off holds no permit and waits for none.
 * While paused there is none.
 *
 *     room({ concurrency: 3, prefetch: 0, depth: 50, childrenMax: 200, children: [aapl], permits: ['AAPL'],
 *       waiting: [], paused: false })   // 2
 */
export function room(context: Held & Capacity): number {
  const { concurrency, prefetch, depth, childrenMax, children, permits, waiting, paused } = context;
  if (paused) return 0;
  const runnable = concurrency - permits.length - waiting.length + prefetch;
  const holdable = Math.min(depth, childrenMax) - children.length;
  return Math.max(0, Math.min(runnable, holdable));
}

/** The claim of the child that is meant, if that very child lives. */
export function childOf({ children }: Held, { symbol, jobId, epoch }: ChildAddress): Claim | undefined {
  return children.find(
    (claim) =>
      claim.symbol === symbol &&
      (jobId === undefined || jobId === claim.jobId) &&
      (epoch === undefined || epoch === claim.epoch),
  );
}

/** With that child. One that asks for a permit counts as waiting before its request arrives: no room is lent twice. */
export function withChild(held: Held, claim: Claim, { asks }: { asks: boolean }): Held {
  return {
    children: [...held.children, claim],
    permits: held.permits,
    waiting: asks ? [...held.waiting, claim.symbol] : held.waiting,
  };
}

export function withoutChild(held: Held, symbol: string): Held {
  return {
    children: held.children.filter((claim) => claim.symbol !== symbol),
    ...withoutPermit(held, symbol),
  };
}

/** Neither holding a permit nor waiting for one. */
export function withoutPermit({ permits, waiting }: Held, symbol: string): Pick<Held, 'permits' | 'waiting'> {
  const others = (name: string) => name !== symbol;
  return { permits: permits.filter(others), waiting: waiting.filter(others) };
}

/** Who gets a permit now: as many of the longest waiting as there are free permits; nobody while paused. */
export function nextHolders({ concurrency, permits, waiting, paused }: Held & Capacity): readonly string[] {
  return paused ? [] : waiting.slice(0, Math.max(0, concurrency - permits.length));
}
