import { describe, expect, test, vi } from 'vitest';
import { TestClock } from '../../support/clock.ts';
import { portfolioId } from '../fake-service.ts';
import { serve } from '../serve.ts';
import { portfolio, symbolStatus } from '../views.ts';

const prefer = (wait: string, init: RequestInit = {}) => ({ ...init, headers: { prefer: wait } });

describe.each([['/symbols/BRK-B/status'], [`/portfolios/${portfolioId}`]])('%s with Prefer', (path) => {
  /** A server on which nothing is settled until `settle`. */
  async function unsettled(options: { waitersMax?: number } = {}) {
    const clock = new TestClock();
    const { url, fake, close } = await serve({ clock, ...options });
    fake.service.symbols.status = async () => symbolStatus;
    fake.service.portfolios.find = async () => ({ ...portfolio, status: 'pending' });
    const settle = () => {
      fake.service.symbols.status = async () => ({ ...symbolStatus, status: 'error' });
      fake.service.portfolios.find = async () => ({ ...portfolio, status: 'partial' });
      for (const { symbol } of portfolio.symbols) for (const listener of fake.ends) listener(symbol);
      for (const listener of fake.ends) listener('BRK-B');
    };
    return { url: url + path, fake, clock, settle, close, waiting: () => clock.sleeping() };
  }

  test('holds the answer until it is settled, and says for how long it would have', async () => {
    const { url, settle, waiting } = await unsettled();
    const answer = fetch(url, prefer('wait=300'));
    await waiting();
    settle();
    const { status, headers } = await answer;
    expect([status, headers.get('preference-applied'), headers.get('vary')]).toEqual([
      200,
      'wait=60',
      'Prefer',
    ]);
    expect(await (await answer).json()).toMatchObject({ status: expect.stringMatching(/error|partial/) });
  });

  test('answers when the time is over', async () => {
    const { url, clock, waiting } = await unsettled();
    const answer = fetch(url, prefer('wait=5'));
    await waiting();
    await clock.advance(5000);
    const { status, headers } = await answer;
    expect([status, headers.get('preference-applied')]).toEqual([200, 'wait=5']);
  });

  test('is free of a client that has gone', async () => {
    const { url, fake, clock, waiting } = await unsettled();
    const client = new AbortController();
    const answer = fetch(url, prefer('wait=60', { signal: client.signal })).catch(() => 'gone');
    await waiting();
    expect(fake.ends.size).toBe(1);
    client.abort();
    expect(await answer).toBe('gone');
    await vi.waitFor(() => expect([fake.ends.size, clock.pending.length]).toEqual([0, 0]));
  });

  test('answers what it knows when the server stops', async () => {
    const { url, close, waiting } = await unsettled();
    const answer = fetch(url, prefer('wait=60'));
    await waiting();
    await close();
    const { status } = await answer;
    expect(status).toBe(200);
    expect(await (await answer).json()).toMatchObject({
      status: expect.stringMatching(/pending|processing/),
    });
  });

  test('is answered at once where there is no room to wait', async () => {
    const { url } = await unsettled({ waitersMax: 0 });
    const { status, headers } = await fetch(url, prefer('wait=60'));
    expect([status, headers.get('preference-applied'), headers.get('vary')]).toEqual([200, null, 'Prefer']);
  });

  test.each(['wait=soon', 'respond-async', ''])('%j is ignored', async (header) => {
    const { url } = await unsettled();
    const { status, headers } = await fetch(url, prefer(header));
    expect([status, headers.get('preference-applied'), headers.get('vary')]).toEqual([200, null, 'Prefer']);
  });
});
