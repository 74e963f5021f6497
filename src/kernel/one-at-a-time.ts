/**
 * Serializes and coalesces calls of `run`: only one runs at a time, and all calls during a run share the next one. So
 * each caller gets a run that starts after its call, and two runs cannot finish out of order.
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
