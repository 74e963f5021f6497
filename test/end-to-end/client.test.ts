import { beforeAll, expect, test } from 'vitest';
import { createClient, type Frame, ProblemError } from '../../src/client/index.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { csvOf, startService } from '../support/service.ts';
import { authTokens, tokenOf } from '../support/tokens.ts';

/** Sockets that break after a few messages, by a seeded draw. */
function breaking(seed: number) {
  let drawn = seed;
  const draw = (most: number) => {
    drawn = (drawn * 48_271) % 2_147_483_647;
    return 2 + (drawn % most);
  };
  let broken = 0;
  class Breaking extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      let left = draw(25);
      this.addEventListener('message', () => {
        left -= 1;
        if (left === 0) {
          broken += 1;
          this.close();
        }
      });
    }
  }
  return { WebSocket: Breaking as typeof WebSocket, broken: () => broken };
}

describeOnDatabase('pglite', 'the typed client', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('follows a portfolio to its end over connections that break all the time', async () => {
    const settings = { AUTH_TOKENS: authTokens, ONBOARDING_CONCURRENCY: '2' };
    const service = await startService(database, { settings, faults: 'BAD=empty' });
    const { WebSocket, broken } = breaking(4711);
    const client = createClient({ url: service.url, token: tokenOf('ann'), WebSocket });
    const { portfolio_id: id, pending_symbols } = await client.portfolios.upload({
      name: 'Mine',
      csv: csvOf('AAPL', 'MSFT', 'BAD', 'NEW13'),
    });
    expect(pending_symbols).toEqual(['AAPL', 'BAD', 'MSFT', 'NEW13']);

    const states = [];
    for await (const state of client.watchPortfolio(id)) states.push(state);

    expect(broken()).toBeGreaterThan(0);
    const positions = states.map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    const last = states.at(-1)!;
    expect(last.pending).toEqual([]);
    for (const { symbol, job_id, sequence, state, error } of Object.values(last.jobs)) {
      const job = await client.onboarding.job(job_id);
      expect({ symbol, sequence, state }).toEqual({
        symbol: job.symbol,
        sequence: job.sequence,
        state: job.state,
      });
      expect(error?.code ?? null).toBe(job.error?.code ?? null);
    }
    const { snapshot, status } = await client.portfolios.get(id);
    expect([status, snapshot?.position_count]).toEqual(['partial', 3]);
    // The totals travel on their own: those of the last symbol may come a moment after its end.
    expect(last.snapshot?.position_count).toBeGreaterThan(0);
  });

  test('hears every transition once and in order, over connections that break all the time', async () => {
    const service = await startService(database);
    const { WebSocket, broken } = breaking(99);
    const client = createClient({ url: service.url, WebSocket });
    const stop = new AbortController();
    const heard: Extract<Frame, { type: 'transition' }>[] = [];
    const seen = new Set<string>();
    const began = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (const frame of client.watch({ everything: true }, { signal: stop.signal })) {
        if (frame.type === 'live') began.resolve();
        if (frame.type !== 'transition') continue;
        heard.push(frame);
        if (frame.to === 'completed') seen.add(frame.symbol);
        if (seen.size === 3) stop.abort();
      }
    })();
    await began.promise;
    await client.symbols.onboard('ONE');
    await client.portfolios.upload({ name: 'Two', csv: csvOf('TWO', 'THREE') });
    await reading;
    expect(broken()).toBeGreaterThan(1);
    const jobs = Map.groupBy(heard, ({ job_id }) => job_id);
    expect(jobs.size).toBe(3);
    for (const own of jobs.values()) {
      expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, n) => n + 1));
      expect(own.at(-1)?.to).toBe('completed');
    }
  });

  test('does not show a stranger what is not theirs', async () => {
    const service = await startService(database, { settings: { AUTH_TOKENS: authTokens } });
    const { portfolio_id: id } = await createClient({
      url: service.url,
      token: tokenOf('ann'),
    }).portfolios.upload({
      name: 'Mine',
      csv: csvOf('AAPL'),
    });
    const bob = createClient({ url: service.url, token: tokenOf('bob') });
    await expect(bob.watchPortfolio(id).next()).rejects.toMatchObject({
      name: 'FeedError',
      code: 'portfolio_not_found',
    });
    const nobody = createClient({ url: service.url });
    await expect(nobody.portfolios.get(id)).rejects.toBeInstanceOf(ProblemError);
    await expect(
      createClient({ url: service.url, token: 'x' }).watchPortfolio(id).next(),
    ).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});
