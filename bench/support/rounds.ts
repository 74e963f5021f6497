/** What each contestant took, one number per round. */
export type Rounds<Name extends string> = Record<Name, number[]>;

/**
 * Runs every contestant once per round, each round in another order: what else the machine does meets all of them.
 *
 * One round before the first is not counted: it fills caches and lets the compiler see the code.
 */
export async function interleaved<Name extends string>(
  contestants: Record<Name, () => Promise<number>>,
  {
    rounds = 5,
    onRound = () => {},
  }: { rounds?: number; onRound?: (round: Record<Name, number>) => void } = {},
): Promise<Rounds<Name>> {
  const names = Object.keys(contestants) as Name[];
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Rounds<Name>;
  for (let round = 0; round <= rounds; round += 1) {
    const order = names.map((_, index) => names[(index + round) % names.length]!);
    if (round % 2 === 1) order.reverse();
    const measured = {} as Record<Name, number>;
    for (const name of order) measured[name] = await contestants[name]();
    if (round === 0) continue;
    for (const name of names) taken[name].push(measured[name]);
    onRound(measured);
  }
  return taken;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The middle of the values, and how far they reach. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Of each round's own ratio `of` / `to`: a slow moment of the machine slows both sides of it. */
export function ratioOf(of: readonly number[], to: readonly number[]): Spread {
  return spreadOf(of.map((value, round) => value / to[round]!));
}
