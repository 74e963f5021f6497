/** What this turn of the event loop sets free has come by then. */
export const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * One question for all who ask within a turn of the event loop. Jobs that were written down in one commit go on in one
 * turn: what they ask then is one statement, not one each. An unknown key is answered with undefined.
 */
export function askTogether<Answer>(
  ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>,
): (key: string) => Promise<Answer | undefined> {
  let open: { keys: Set<string>; answers: Promise<ReadonlyMap<string, Answer>> } | null = null;
  const gather = () => {
    const keys = new Set<string>();
    const answers = endOfTurn().then(() => {
      open = null;
      return ask([...keys].sort());
    });
    return { keys, answers };
  };
  return async (key) => {
    open ??= gather();
    open.keys.add(key);
    return (await open.answers).get(key);
  };
}

/** How what is done together is noted by each who takes part. */
export interface Attribution {
  /** Of whoever calls. */
  current(): unknown;
  /** Runs `work` on behalf of all. */
  onBehalfOf<T>(parts: readonly unknown[], work: () => Promise<T>): Promise<T>;
}

const batchMax = 50; // in one transaction

export interface TogetherOptions {
  attribution: Attribution;
  /** How many batches may be under way at once: what comes while that many are is the next one. */
  lanes?: number;
}

/**
 * Does in one go what is asked for within a turn of the event loop, or while the lanes are full. `work` answers each
 * item in its place, or throws and has done nothing; then each is done alone, so that only who is to blame fails.
 */
export function doTogether<Item, Answer = void>(
  work: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { attribution: { current, onBehalfOf }, lanes = Number.POSITIVE_INFINITY }: TogetherOptions,
): (item: Item) => Promise<Answer> {
  interface Waiting extends PromiseWithResolvers<Answer> {
    item: Item;
    part: unknown;
  }
  const waiting: Waiting[] = [];
  let underWay = 0;
  let leaving = false;

  const run = (batch: readonly Waiting[]) =>
    onBehalfOf(
      batch.map(({ part }) => part),
      () => work(batch.map(({ item }) => item)),
    );
  const fly = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await run(batch);
      batch.forEach(({ resolve }, index) => void resolve(answers[index]!));
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else for (const one of batch) await fly([one]);
    }
  };
  const leave = async () => {
    leaving = true;
    await endOfTurn();
    leaving = false;
    while (waiting.length > 0 && underWay < lanes) {
      underWay += 1;
      fly(waiting.splice(0, batchMax)).finally(() => {
        underWay -= 1;
        if (!leaving) void leave();
      });
    }
  };
  return (item) => {
    const one = { ...Promise.withResolvers<Answer>(), item, part: current() };
    waiting.push(one);
    if (!leaving) void leave();
    return one.promise;
  };
}
