/**
 * Makes runs of `run` follow one another. Whoever calls during a run waits for the next one, which begins after it and
 * is shared by all who wait: so every caller gets a run that begins after the call, and the answers of two runs cannot
 * overtake each other.
 */
export function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  const start = () => {
    next = null;
    last = run();
    return last;
  };
  return () => {
    next ??= last.then(start, start);
    return next;
  };
}
