import { expect, test } from 'vitest';
import { inBatches } from '../../src/kernel/in-batches.ts';
import { settled } from '../machines/harness.ts';
import { TestClock } from '../support/clock.ts';

/** Counts to three, from where it is told to go on. */
function counting() {
  const seen: (number | null)[] = [];
  const next = async (after: number | null) => {
    seen.push(after);
    return after === 3 ? null : (after ?? 0) + 1;
  };
  return { seen, next };
}

test('goes on from cursor to cursor, with a pause after each batch, and ends at null', async () => {
  const { seen, next } = counting();
  const clock = new TestClock();
  const done = inBatches(next, { clock, signal: new AbortController().signal });
  for (let batch = 1; batch <= 3; batch += 1) {
    await clock.sleeping();
    await settled();
    expect(seen).toHaveLength(batch);
    await clock.advanceToNext();
  }
  await done;
  expect(seen).toEqual([null, 1, 2, 3]);
  expect(clock.pending).toEqual([]);
});

test('begins no batch once the signal has aborted, and does not wait out the pause', async () => {
  const stop = new AbortController();
  const { seen, next } = counting();
  const clock = new TestClock();
  const done = inBatches(next, { clock, signal: stop.signal });
  await clock.sleeping();
  stop.abort(new Error('the service stops'));
  await expect(done).rejects.toThrow('the service stops');
  await expect(inBatches(next, { clock, signal: stop.signal })).rejects.toThrow('the service stops');
  expect(seen).toEqual([null]);
});
