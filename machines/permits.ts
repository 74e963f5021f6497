import type { ChildAddress, Claim, Needs, SupervisorLimits } from './protocol.ts';

export interface SupervisorInput extends Omit<SupervisorLimits, 'clusterConcurrency'> {
  /** Permits of the whole cluster. Null or absent: no ceiling. */
  clusterConcurrency?: number | null;
  /** The maximum number of children of this node at any depth: `childrenMax` of the protocol, or less. */
  childrenMax: number;
}

/** The context of the supervisor: living children, and who holds, requests or waits for a permit. */
export interface SupervisorContext extends Required<SupervisorInput> {
  /** One claim per living child. */
  children: readonly Claim[];
  /** Symbols whose phase may run, never more than `concurrency`. */
  permits: readonly string[];
  /** Symbols that have a permit reserved on this node and wait for one of the cluster. */
  asking: readonly string[];
  /** Symbols that wait for a permit, the longest-waiting first. */
  waiting: readonly string[];
  /** While true, no permit is granted and no job is claimed. Running jobs continue to their end. */
  paused: boolean;
  /** The room that was last sent to the claims actor; null before the first time. */
  announcedRoom: number | null;
  /** The needs that were last sent to the ceiling actor. */
  needs: Needs;
  graceMs: number;
  /** Why this node drains without a request; null if there is no fault. */
  fault: string | null;
}

type Held = Pick<SupervisorContext, 'children' | 'permits' | 'asking' | 'waiting'>;
type Capacity = Pick<
  SupervisorContext,
  'concurrency' | 'clusterConcurrency' | 'prefetch' | 'depth' | 'childrenMax' | 'paused'
>;

/**
 * How many more jobs this node may claim: its free permits, minus the children that wait for one, plus the prefetch;
 * limited by the number of children it may have. A child that backs off holds no permit and waits for none. While
 * paused, the room is 0.
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
 * Low-water mark: true if at most half of the prefetch is left, so it is time to claim more. Waiting until then pays,
 * because claiming several jobs at once costs little more than claiming one. Without prefetch it is always true.
 */
export function isLow({ prefetch, waiting }: Pick<SupervisorContext, 'prefetch' | 'waiting'>): boolean {
  return prefetch === 0 || 2 * waiting.length <= prefetch;
}

/** The claim of the addressed child, if exactly that child lives. */
export function childOf({ children }: Held, { symbol, jobId, epoch }: ChildAddress): Claim | undefined {
  return children.find(
    (claim) =>
      claim.symbol === symbol &&
      (jobId === undefined || jobId === claim.jobId) &&
      (epoch === undefined || epoch === claim.epoch),
  );
}

/**
 * Adds a child. A child that will request a permit counts as waiting before its request arrives, so that its room is not
 * given to another claim.
 */
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

/** Removes the symbol from permits, asking and waiting. */
export function withoutPermit({ permits, asking, waiting }: Held, symbol: string): Omit<Held, 'children'> {
  const others = (name: string) => name !== symbol;
  return { permits: permits.filter(others), asking: asking.filter(others), waiting: waiting.filter(others) };
}

/**
 * The symbols that get a permit now: the longest-waiting ones, as many as there are free permits; none while paused.
 * Refreshes come after all others, because no user waits for them.
 */
export function nextHolders(context: Held & Capacity): readonly string[] {
  const { paused, waiting, children } = context;
  const free = Math.max(0, freePermits(context));
  if (paused || free === 0 || waiting.length === 0) return [];
  const refreshed = new Set(children.flatMap(({ reason, symbol }) => (reason === 'refresh' ? [symbol] : [])));
  const isUrgent = (symbol: string) => !refreshed.has(symbol);
  return [...waiting.filter(isUrgent), ...waiting.filter((symbol) => !isUrgent(symbol))].slice(0, free);
}

/** Limited by the cluster's permits: with more, a node would only withhold claims from other nodes. */
function freePermits({ concurrency, clusterConcurrency, permits, asking }: Held & Capacity): number {
  return Math.min(concurrency, clusterConcurrency ?? concurrency) - permits.length - asking.length;
}

/** The claims that need a permit of the cluster now. None without a ceiling. */
export function needsOf({ clusterConcurrency, children, permits, asking }: Held & Capacity): Needs {
  if (clusterConcurrency === null) return noNeeds;
  const claimsOf = (symbols: readonly string[]) => children.filter(({ symbol }) => symbols.includes(symbol));
  return { held: claimsOf(permits), wanted: claimsOf(asking) };
}

export const noNeeds: Needs = { held: [], wanted: [] };

/** Compares claims by identity: claims are never copied, so a replaced child of the same symbol counts as different. */
export function areSameNeeds(a: Needs, b: Needs): boolean {
  const same = (one: readonly Claim[], other: readonly Claim[]) =>
    one.length === other.length && one.every((claim, index) => claim === other[index]);
  return same(a.held, b.held) && same(a.wanted, b.wanted);
}
