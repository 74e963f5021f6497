import { describe, expect, test } from 'vitest';
import { portfolioTemplate } from '../../../src/import/template-csv.ts';
import { missingId, portfolioId } from '../fake-service.ts';
import { ask, serve } from '../serve.ts';
import { portfolioExposures } from '../views.ts';

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

  test('gives its exposures as they are', async () => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/portfolios/${portfolioId}/exposures`);
    expect([status, body]).toEqual([200, portfolioExposures]);
    expect(fake.calls).toEqual([[portfolioId, { name: 'local', role: 'operator' }]]);
  });

  test.each(['', '/positions', '/snapshots', '/exposures'])(
    '%s of a portfolio that is not there is 404',
    async (path) => {
      const { url } = await serve();
      const { status, body } = await ask(`${url}/portfolios/${missingId}${path}`);
      expect(status).toBe(404);
      expect(body).toMatchObject({
        code: 'portfolio_not_found',
        type: '/problems/portfolio_not_found',
        instance: `/portfolios/${missingId}${path}`,
      });
    },
  );

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

describe('the list of portfolios', () => {
  test('asks for the viewer, pages, and links', async () => {
    const ann = { name: 'ann', role: 'user' } as const;
    const { url, fake } = await serve({ viewer: ann });
    const { status, body } = await ask(`${url}/portfolios?limit=2&cursor=${missingId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      portfolios: [
        {
          portfolio_id: portfolioId,
          status: 'pending',
          snapshot: { total_value: '1200.00' },
          links: { self: `/portfolios/${portfolioId}` },
        },
      ],
      next_cursor: portfolioId,
    });
    expect(body.portfolios[0]).not.toHaveProperty('symbols');
    expect(fake.calls).toEqual([['list', { limit: 2, cursor: missingId }, ann]]);
  });

  test.each(['limit=0', 'limit=201', 'cursor=1', 'owner=bob'])('?%s is refused', async (query) => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/portfolios?${query}`);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(fake.calls).toEqual([]);
  });
});

describe('deleting a portfolio', () => {
  test('answers 204 without a body', async () => {
    const { url, fake } = await serve();
    const { status, headers, body } = await ask(`${url}/portfolios/${portfolioId}`, { method: 'DELETE' });
    expect([status, body, headers.get('content-type')]).toEqual([204, null, null]);
    expect(fake.calls).toEqual([['remove', portfolioId, { name: 'local', role: 'operator' }]]);
  });

  test('that is not there, or not the own, is 404', async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/portfolios/${missingId}`, { method: 'DELETE' });
    expect([status, body.code]).toEqual([404, 'portfolio_not_found']);
  });

  test('is not for a page of another origin', async () => {
    const { url, fake } = await serve();
    const { status, body } = await ask(`${url}/portfolios/${portfolioId}`, {
      method: 'DELETE',
      headers: { origin: 'https://evil.example' },
    });
    expect([status, body.code]).toEqual([403, 'cross_origin']);
    expect(fake.calls).toEqual([]);
  });
});

describe('the template', () => {
  test.each([undefined, 'text/csv', 'text/*;q=0.5', 'text/html,*/*;q=0.8'])(
    'is a CSV to download for whoever accepts %s',
    async (accept) => {
      const { url } = await serve();
      const reply = await fetch(`${url}/portfolios/template.csv`, { headers: accept ? { accept } : {} });
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
      expect(reply.headers.get('content-disposition')).toBe('attachment; filename="portfolio-template.csv"');
      expect(await reply.text()).toBe(portfolioTemplate());
    },
  );

  test('is nothing but CSV, and CSV is nothing else', async () => {
    const { url } = await serve();
    for (const [path, accept] of [
      ['/portfolios/template.csv', 'application/json'],
      ['/portfolios', 'text/csv'],
    ] as const) {
      const { status, body } = await ask(url + path, { headers: { accept } });
      expect([status, body.code]).toEqual([406, 'not_acceptable']);
    }
  });
});
