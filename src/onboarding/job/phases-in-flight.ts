/** The running phases. Aborting a phase only requests its end; `settled` waits until it has ended. */
export interface InFlight {
  track<T>(symbol: string, work: Promise<T>): Promise<T>;
  /** Resolves when no phase of this symbol runs; without a symbol, when no phase runs at all. */
  settled(symbol?: string): Promise<void>;
}

export function inFlight(): InFlight {
  const running = new Map<string, Set<Promise<unknown>>>();
  return {
    track(symbol, work) {
      const own = running.get(symbol) ?? new Set();
      running.set(symbol, own.add(work));
      const untrack = () => {
        own.delete(work);
        if (own.size === 0 && running.get(symbol) === own) running.delete(symbol);
      };
      work.then(untrack, untrack);
      return work;
    },
    async settled(symbol) {
      const sets = symbol === undefined ? [...running.values()] : [running.get(symbol) ?? new Set()];
      await Promise.allSettled(sets.flatMap((own) => [...own]));
    },
  };
}
