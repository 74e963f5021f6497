import { expect, test } from 'vitest';
import { pruneOldRows } from '../../src/upkeep/prune-old-rows.ts';
import { TestClock } from '../support/clock.ts';

const retention = { jobs: 10, exposures: 20, proxySets: 30 };

/** Stores that have one batch each and note what they are asked to delete. */
function noting() {
  const asked: string[] = [];
  const one = (what: string) => async (before: string) => {
    asked.push(`${what} ${before}`);
    return null;
  };
  const stores = {
    jobRetention: { prune: one('jobs') },
    exposures: { prune: one('exposures') },
    prices: { pruneProxySets: one('proxy sets') },
  };
  return { asked, stores };
}

const clock = new TestClock('2026-03-02T15:30:00Z');

test('deletes what is older than its days: jobs, then exposures, then the proxies that those name', async () => {
  const { asked, stores } = noting();
  await pruneOldRows(stores, { retention, clock, signal: new AbortController().signal });
  expect(asked).toEqual(['jobs 2026-02-20T15:30:00.000Z', 'exposures 2026-02-10', 'proxy sets 2026-01-31']);
});

test('stops at the signal, between two tables as between two batches', async () => {
  const { asked, stores } = noting();
  const stop = new AbortController();
  const jobRetention = {
    async prune() {
      stop.abort(new Error('the service stops'));
      return null;
    },
  };
  const pruned = pruneOldRows({ ...stores, jobRetention }, { retention, clock, signal: stop.signal });
  await expect(pruned).rejects.toThrow('the service stops');
  expect(asked).toEqual([]);
});
