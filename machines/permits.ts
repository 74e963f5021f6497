import type { ChildAddress, Claim, Needs, SupervisorLimits } from './protocol.ts';

export interface SupervisorInput extends Omit<SupervisorLimits, 'clusterConcurrency'> {
  /** Without one nothing bounds the cluster. */
  clusterConcurrency?: number | null;
  /** The most children of this node, whatever the depth: `childrenMax` of the protocol, or less. */
  childrenMax: number;
}

/** What a supervisor's machine remembers: who lives, who may run, who wants to. */
export interface SupervisorContext extends Required<SupervisorInput> {
  /** One claim per living child. */
  children: readonly Claim[];
  /** Symbols whose phase may run, never more than `concurrency`. */
  permits: readonly string[];
  /** Symbols for which a permit of this node is kept until the cluster has one for them too. */
  asking: readonly string[];
  /** Symbols that wait for a permit, the longest waiting first. */
  waiting: readonly string[];
  /** Nothing new begins: no permit is granted, no job is claimed. What runs goes on to its end. */
  paused: boolean;
  /** The room that the claims actor was told last, or null before the first time. */
  announcedRoom: number | null;
  /** What the ceiling actor was told last. */
  needs: Needs;
  graceMs: number;
  /** Why this node drains although nobody asked it to. */
  fault: string | null;
}

type Held = Pick<SupervisorContext, 'children' | 'permits' | 'asking' | 'waiting'>;
type Capacity = Pick<
  SupervisorContext,
  'concurrency' | 'clusterConcurrency' | 'prefetch' | 'depth' | 'childrenMax' | 'paused'
>;

/**
 * How many more jobs this node may claim: its free permits, less the children that wait for one, plus what it may
 * hold ahead; and no more than it may have children. A child that backs off holds no permit and waits for none.
 * While paused there is none.
 *
 *     room({ concurrency: 3, clusterConcurrency: null, prefetch: 0, depth: 50, childrenMax: 200, children: [aapl],
 *       permits: ['AAPL'], asking: [], waiting: [], paused: false })   // 2
 */
export function room(context: Held & Capacity): number {
  const { prefetch, depth, childrenMax, children, waiting, paused } = context;
  if (paused) return 0;
  const runnable = freePermits(context) - waiting.length + prefetch;
  const holdable = Math.min(depth, childrenMax) - children.length;
  return Math.max(0, Math.min(runnable, holdable));
}

/**
 * At most half of what may be held ahead is left, so it is time to claim more. Until then it can wait: one claim of
 * several jobs costs hardly more than one of one. With nothing to hold ahead it is always time.
 */
export function isLow({ prefetch, waiting }: Pick<SupervisorContext, 'prefetch' | 'waiting'>): boolean {
  return prefetch === 0 || 2 * waiting.length <= prefetch;
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
    ...held,
    children: [...held.children, claim],
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
export function withoutPermit({ permits, asking, waiting }: Held, symbol: string): Omit<Held, 'children'> {
  const others = (name: string) => name !== symbol;
  return { permits: permits.filter(others), asking: asking.filter(others), waiting: waiting.filter(others) };
}

/**
 * Who gets a permit now: as many of the longest waiting as there are free permits; nobody while paused. A refresh, for
 * which no user waits, comes after all others.
 */
export function nextHolders(context: Held & Capacity): readonly string[] {
  const { paused, waiting, children } = context;
  const free = Math.max(0, freePermits(context));
  if (paused || free === 0 || waiting.length === 0) return [];
  const refreshed = new Set(children.flatMap(({ reason, symbol }) => (reason === 'refresh' ? [symbol] : [])));
  const isUrgent = (symbol: string) => !refreshed.has(symbol);
  return [...waiting.filter(isUrgent), ...waiting.filter((symbol) => !isUrgent(symbol))].slice(0, free);
}

/** No node holds more permits than the cluster has: it would only keep claims from the others. */
function freePermits({ concurrency, clusterConcurrency, permits, asking }: Held & Capacity): number {
  return Math.min(concurrency, clusterConcurrency ?? concurrency) - permits.length - asking.length;
}

/** For whom the cluster's permits are needed now. Nobody, where there is no ceiling. */
export function needsOf({ clusterConcurrency, children, permits, asking }: Held & Capacity): Needs {
  if (clusterConcurrency === null) return noNeeds;
  const claimsOf = (symbols: readonly string[]) => children.filter(({ symbol }) => symbols.includes(symbol));
  return { held: claimsOf(permits), wanted: claimsOf(asking) };
}

export const noNeeds: Needs = { held: [], wanted: [] };

/** Claims are never copied, so a child that was replaced by one of the same symbol is another. */
export function areSameNeeds(a: Needs, b: Needs): boolean {
  const same = (one: readonly Claim[], other: readonly Claim[]) =>
    one.length === other.length && one.every((claim, index) => claim === other[index]);
  return same(a.held, b.held) && same(a.wanted, b.wanted);
}
