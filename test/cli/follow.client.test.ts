import { expect, test } from 'vitest';
import { follow } from '../../src/cli/follow.client.ts';
import { serviceClient } from '../../src/cli/service.client.ts';
import { portfolio, portfolioId } from '../api/views.ts';
import { answering } from '../support/answering.ts';

/** A service without a feed, whose portfolio is in these states one after the other. */
async function serving(...states: object[]) {
  const url = await answering((_, response) => {
    const state = states.length > 1 ? states.shift() : states[0];
    return response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ ...portfolio, ...state }));
  });
  return serviceClient({ url, token: null, timeoutMs: 5000 });
}

const over = (status: string) => ({
  status,
  symbols: [{ symbol: 'AAPL', status: 'ready', message: '', phase: null, progress: 1, job_id: null }],
});

// A portfolio's counts are read before the statuses of its symbols, one of which may have ended in between.
test('shows the totals of a portfolio whose last symbol ended while it was read', async () => {
  const client = await serving(over('pending'), over('ready'));
  const options = { portfolioId, symbols: ['AAPL'], onChange: () => {}, onFeedLost: () => {}, pollMs: 1 };
  expect((await follow(client, options)).portfolio.status).toBe('ready');
});
