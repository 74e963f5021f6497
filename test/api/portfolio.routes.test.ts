import { describe, expect, test } from 'vitest';
import { missingId, portfolioId } from './fake-service.ts';
import { ask, serve } from './serve.ts';

describe('reading a portfolio', () => {
  test('gives its view with links', async () => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/portfolios/${portfolioId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      portfolio_id: portfolioId,
      status: 'pending',
      snapshot: { total_value: '1200.00' },
      links: { self: `/portfolios/${portfolioId}` },
    });
    expect(fake.calls).toEqual([[portfolioId, { name: 'local', role: 'operator' }]]);
  });

  test('pages lots by line and snapshots by day', async () => {
    const { url, fake } = await serve();
    const lots = await ask(`${url}/portfolios/${portfolioId}/positions?limit=10&cursor=5`);
    expect(lots.body).toMatchObject({ positions: [{ quantity: '10', disposition: 'priced' }] });
    const history = await ask(`${url}/portfolios/${portfolioId}/snapshots?cursor=2026-02-27`);
    expect(history.body.snapshots).toHaveLength(1);
    expect(fake.calls.map(([, page]) => page)).toEqual([
      { limit: 10, cursor: 5 },
      { limit: 100, cursor: '2026-02-27' },
    ]);
  });

  test.each(['', '/positions', '/snapshots'])('%s of a portfolio that is not there is 404', async (path) => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/portfolios/${missingId}${path}`);
    expect(status).toBe(404);
    expect(body).toMatchObject({
      code: 'portfolio_not_found',
      type: '/problems/portfolio_not_found',
      instance: `/portfolios/${missingId}${path}`,
    });
  });

  test.each([
    ['/not-a-uuid', 'id', 'not-a-uuid'],
    [`/${portfolioId}/positions?limit=0`, 'limit', '0'],
    [`/${portfolioId}/positions?cursor=abc`, 'cursor', 'abc'],
    [`/${portfolioId}/snapshots?cursor=2026-02-30`, 'cursor', '2026-02-30'],
    // What the database cannot hold: PostgreSQL has no year 0, and its integer ends here.
    [`/${portfolioId}/positions?cursor=2147483648`, 'cursor', '2147483648'],
    [`/${portfolioId}/snapshots?cursor=0000-01-01`, 'cursor', '0000-01-01'],
  ])('%s names the parameter and what came', async (path, parameter, value) => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/portfolios${path}`);
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ path: parameter, value }]);
    expect(fake.calls).toEqual([]);
  });
});
