import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { FeedEntry } from '../../../src/contract/feed.ts';
import type { Database } from '../../../src/database/database.orm.ts';
import { journalFeed } from '../../../src/onboarding/feed/journal-feed.query.ts';
import { publishCommits } from '../../../src/onboarding/feed/publish-commits.feed.ts';
import { type Entry, isRecord, type TakenClaim } from '../../../src/onboarding/job/ports.ts';
import { journalStore } from '../../../src/onboarding/journal/journal.store.ts';
import { random } from '../../machines/harness.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, recordOf, startNode } from '../fixture.ts';

describeOnEveryDatabase('what a node has committed', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  async function start(...symbols: string[]) {
    const { queue, admit, jobs } = await startNode(database);
    await emptyTables(database);
    await admit(symbols);
    const taken = await jobs.claim(symbols.length);
    const offers: Promise<readonly FeedEntry[]>[] = [];
    const journal = journalStore(database, { queue, node: 'node-1' });
    const plain = {
      commit: async (records: readonly Entry[]) => ({
        progress: [],
        positions: await journal.commit(records.filter(isRecord)),
        updates: [],
      }),
    };
    const ledger = publishCommits(plain, {
      node: 'node-1',
      feed: { offer: (commit) => void offers.push(commit) },
    });
    const feed = journalFeed(database);
    return {
      taken,
      /** Commits; what the feed is offered, and what it would read. */
      async commit(...records: ReturnType<typeof recordOf>[]) {
        const { position } = await feed.head();
        await ledger.commit(records);
        const { transitions } = await feed.after(position);
        return { offered: await offers.pop()!, read: transitions };
      },
      ledger,
      offers,
    };
  }

  test('equals what the feed would read, in every field', async () => {
    const { taken, commit } = await start('AAPL', 'MSFT');
    const [aapl, msft] = taken as [TakenClaim, TakenClaim];
    const error = {
      code: 'provider_timeout',
      message: 'Keine Antwort in 10 s: „…“ 😀',
      phase: 'fetch' as const,
    };
    const first = await commit(
      recordOf(aapl, 'processing.fetch.running', { event: 'permit.granted', durationMs: 0 }),
      recordOf(msft, 'processing.fetch.backingOff', {
        event: 'fetch.failed',
        job: { attempt: 2, retryAt: Date.parse('2030-01-01T00:00:00.123Z'), error },
      }),
      recordOf(aapl, 'processing.factors.running', {
        sequence: aapl.sequence + 2,
        from: 'processing.fetch.running',
        event: 'fetch.done',
        durationMs: 2_147_483_647,
        trace: { writes: 1 },
      }),
    );
    expect(first.read).toHaveLength(3);
    expect(first.offered).toStrictEqual(first.read);
    const ends = await commit(
      recordOf(aapl, 'completed', { sequence: aapl.sequence + 3, job: { outcome: 'complete' } }),
      recordOf(msft, 'failed', { sequence: msft.sequence + 2, job: { error: { ...error, message: '' } } }),
    );
    expect(ends.read).toHaveLength(2);
    expect(ends.offered).toStrictEqual(ends.read);
  });

  test('equals what the feed would read, for any failure text', async () => {
    const { taken, commit } = await start('AAPL');
    const text = fc.string({ unit: 'binary', maxLength: 60 }).map((one) => one.replaceAll('\0', ''));
    let sequence = taken[0]!.sequence;
    await fc.assert(
      fc.asyncProperty(text, fc.nat(1_000_000), async (message, durationMs) => {
        sequence += 1;
        const { offered, read } = await commit(
          recordOf(taken[0]!, 'processing.fetch.backingOff', {
            sequence,
            durationMs,
            job: { error: { code: 'provider_error', message, phase: 'fetch' } },
          }),
        );
        expect(read).toHaveLength(1);
        expect(offered).toStrictEqual(read);
      }),
      random(20, 500),
    );
  });

  test('is left to the feed to read if a part of it was already stored', async () => {
    const { taken, commit } = await start('AAPL');
    const running = recordOf(taken[0]!, 'processing.fetch.running');
    await commit(running);
    const next = recordOf(taken[0]!, 'processing.factors.running', {
      sequence: running.sequence + 1,
      from: running.to,
    });
    const { offered, read } = await commit(running, next);
    expect(read.map(({ to }) => to)).toEqual(['processing.factors.running']);
    expect(offered).toEqual([]);
    expect(await commit(running, next)).toEqual({ offered: [], read: [] });
  });

  test('is empty if the journal refuses it', async () => {
    const { taken, ledger, offers } = await start('AAPL');
    await database.sql('update onboarding_jobs set claim_epoch = claim_epoch + 1');
    const refused = { code: 'claim_lost' };
    await expect(ledger.commit([recordOf(taken[0]!, 'failed')])).rejects.toMatchObject(refused);
    await expect(offers[0]).rejects.toMatchObject(refused);
  });
});
