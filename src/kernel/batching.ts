/** Resolves when everything that the current turn of the event loop made runnable has run. */
export const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Coalesces reads by key: all reads requested in one turn of the event loop become one call of `read`.
 *
 * Jobs whose transitions were committed together (group commit) continue in the same turn, so their reads become one
 * statement instead of one each. An unknown key resolves to undefined.
 */
export function batchReads<Answer>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>,
): (key: string) => Promise<Answer | undefined> {
  let open: { keys: Set<string>; answers: Promise<ReadonlyMap<string, Answer>> } | null = null;
  const openBatch = () => {
    const keys = new Set<string>();
    const answers = endOfTurn().then(() => {
      open = null;
      return read([...keys].sort());
    });
    return { keys, answers };
  };
  return async (key) => {
    open ??= openBatch();
    open.keys.add(key);
    return (await open.answers).get(key);
  };
}

/** Attributes the work of a batch to each of its callers. */
export interface Attribution {
  /** Identifies the current caller. */
  current(): unknown;
  /** Runs `work` on behalf of all callers. */
  onBehalfOf<T>(callers: readonly unknown[], work: () => Promise<T>): Promise<T>;
}

const batchMax = 50; // in one transaction

export interface BatchOptions {
  attribution: Attribution;
  /** Batches in flight at once. Items that arrive while all are busy form the next batch. */
  concurrency?: number;
}

/**
 * Processes in one call what is submitted within a turn of the event loop, or while the limit of concurrency is
 * reached.
 *
 * `work` returns one answer per item, in order, or throws and has done nothing. After a throw each item runs alone, so
 * that only the item at fault fails.
 */
export function batch<Item, Answer = void>(
  work: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { attribution: { current, onBehalfOf }, concurrency = Number.POSITIVE_INFINITY }: BatchOptions,
): (item: Item) => Promise<Answer> {
  interface Waiting extends PromiseWithResolvers<Answer> {
    item: Item;
    caller: unknown;
  }
  const waiting: Waiting[] = [];
  let inFlight = 0;
  let isScheduled = false;

  const call = (members: readonly Waiting[]) =>
    onBehalfOf(
      members.map(({ caller }) => caller),
      () => work(members.map(({ item }) => item)),
    );
  const run = async (members: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await call(members);
      members.forEach(({ resolve }, index) => void resolve(answers[index]!));
    } catch (error) {
      if (members.length === 1) members[0]!.reject(error);
      else for (const member of members) await run([member]);
    }
  };
  const schedule = async () => {
    isScheduled = true;
    await endOfTurn();
    isScheduled = false;
    while (waiting.length > 0 && inFlight < concurrency) {
      inFlight += 1;
      run(waiting.splice(0, batchMax)).finally(() => {
        inFlight -= 1;
        if (!isScheduled) void schedule();
      });
    }
  };
  return (item) => {
    const one = { ...Promise.withResolvers<Answer>(), item, caller: current() };
    waiting.push(one);
    if (!isScheduled) void schedule();
    return one.promise;
  };
}
