import { describe, expect, test } from 'vitest';
import { ConnectionError, createClient, ProblemError } from '../../src/client/index.ts';
import { jobId, missingId, portfolioId } from '../api/fake-service.ts';
import { serve, tokens } from '../api/serve.ts';
import { answering, deadUrl } from '../support/answering.ts';
import { tokenOf } from '../support/tokens.ts';

const csv = 'Symbol,Quantity,Entry Price Per Share,Entry Date\nBRK-B,1,1,2025-01-02';

describe('the client', () => {
  test('has a call for every operation of the API', async () => {
    const { url, server } = await serve();
    const called = new Set<string>();
    const client = createClient({
      url,
      async fetch(input, init) {
        const { pathname } = new URL(String(input));
        called.add(`${init?.method} ${pathname}`);
        return fetch(input, init);
      },
    });
    const { portfolios, symbols, onboarding, service } = client;
    const input = { name: 'Mine', csv };
    await portfolios.upload(input, { idempotencyKey: 'a-key-of-mine' });
    await portfolios.dryRun({
      positions: [{ symbol: 'BRK-B', quantity: '1', entry_price: '1', entry_date: '2025-01-02' }],
    });
    await portfolios.list({ limit: 1 });
    await portfolios.get(portfolioId);
    await portfolios.positions(portfolioId, { limit: 1 });
    await portfolios.snapshots(portfolioId);
    await portfolios.exposures(portfolioId);
    await portfolios.remove(portfolioId);
    await portfolios.template();
    await symbols.status('^GSPC', { wait: 1 });
    await symbols.statuses(['AAPL', 'BRK.B']);
    await symbols.search({ query: 'A' });
    await symbols.get('BRK-B');
    await symbols.prices('BRK-B', { from: '2025-01-02' });
    await symbols.exposures('BRK-B');
    await symbols.onboard('BRK-B');
    await onboarding.overview();
    await onboarding.jobs({ status: ['failed', 'cancelled'], symbol: 'BRK-B' });
    await onboarding.job(jobId);
    await onboarding.timeline(jobId, { limit: 1 });
    await onboarding.actors({ status: ['pending'] });
    await onboarding.actor('supervisor');
    await onboarding.retry(jobId);
    await onboarding.cancel(jobId);
    await onboarding.pause();
    await onboarding.resume();
    await onboarding.diagnosis();
    await service.index();
    await service.live();
    await service.ready();
    await service.metrics();
    await service.openapi();
    await service.asyncapi();
    await service.problems();
    await service.problem('queue_full');
    await service.ticket();

    const sockets = ['/ws', '/ws/inspect', '/events'];
    const missing = server.describedRoutes
      .filter(({ url: path }) => !sockets.includes(path))
      .filter(({ method, url: path }) => {
        const like = new RegExp(`^${method} ${path.replaceAll(/:\w+/g, '[^/]+')}$`);
        return ![...called].some((call) => like.test(call));
      });
    expect(missing.map(({ method, url: path }) => `${method} ${path}`)).toEqual([]);
  });

  test('sends what it is asked in the way that the service reads', async () => {
    const { url, fake } = await serve({ tokens });
    const client = createClient({ url: `${url}/`, token: tokenOf('olga') });
    await client.onboarding.jobs({ status: ['failed', 'cancelled'], limit: 5, symbol: 'BRK-B' });
    const { status } = await client.portfolios.upload({ name: 'Mine', csv, allow_duplicates: true });
    expect(fake.calls[0]![0]).toEqual({ status: ['failed', 'cancelled'], limit: 5, symbol: 'BRK-B' });
    expect(fake.uploads[0]).toMatchObject({ owner: 'olga', name: 'Mine', allowDuplicates: true });
    expect(status).toBe('pending');
  });

  test('makes a refusal an error with its code, status and problem', async () => {
    const { url, fake } = await serve();
    const client = createClient({ url });
    const missing = await client.portfolios.get(missingId).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(ProblemError);
    expect(missing).toMatchObject({
      code: 'portfolio_not_found',
      status: 404,
      retryAfterSeconds: null,
      problem: { title: 'No such portfolio' },
    });
    fake.answer = { kind: 'queue_full', depth: 50, limit: 50, needed: 1, retry_after_seconds: 12 };
    const full = client.portfolios.upload({ name: 'Mine', csv });
    await expect(full).rejects.toMatchObject({ code: 'queue_full', status: 503, retryAfterSeconds: 12 });
  });

  test('says why no answer came', async () => {
    const [dead, silent] = [await deadUrl(), await answering(() => {})];
    const other = await answering((_request, response) =>
      response.writeHead(502).end('<h1>Bad gateway</h1>'),
    );
    const codes: unknown[] = [];
    for (const url of [dead, silent, other]) {
      const error = await createClient({ url, timeoutMs: 200 })
        .service.live()
        .catch((one: unknown) => one);
      expect(error).toBeInstanceOf(ConnectionError);
      codes.push((error as ConnectionError).code);
    }
    expect(codes).toEqual(['unreachable', 'timeout', 'not_the_service']);
    const stopped = createClient({ url: silent }).service.live({
      signal: AbortSignal.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
  });
});
