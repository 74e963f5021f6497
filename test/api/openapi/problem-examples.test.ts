import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { type ProblemCode, problemCatalog } from '../../../src/api/problems/problem-catalog.ts';
import { problemSchema } from '../../../src/contract/schemas.ts';
import type { UploadAnswer } from '../../../src/contract/service.ts';
import { classified } from '../../../src/database/classify-error.ts';
import { healthChecks } from '../../../src/health/run-checks.ts';
import { parsePortfolioCsv } from '../../../src/import/portfolio-csv.ts';
import { failures } from '../../../src/market/provider-failures.ts';
import { remarkOf } from '../../../src/upload/assess-upload.ts';
import type { KeyClaim } from '../../../src/upload/idempotency.store.ts';
import { uploadOnce } from '../../../src/upload/upload-once.ts';
import { expectRecorded } from '../../support/recording.ts';
import { credentials } from '../../support/tokens.ts';
import { jobId, missingId } from '../fake-service.ts';
import { csv, postCsv, postForm, postJson } from '../post.ts';
import { ask, now, serve, tokens } from '../serve.ts';
import { overview } from '../views.ts';

const recorded = new URL('../../../src/api/openapi/examples/problems.json', import.meta.url);

type Options = NonNullable<Parameters<typeof serve>[0]>;
type Served = Awaited<ReturnType<typeof serve>>;
type Body = Awaited<ReturnType<typeof ask>>['body'];

const get = (path: string, headers: Record<string, string> = {}, options: Options = {}) =>
  send({ path, headers }, options);

async function send({ path, ...init }: RequestInit & { path: string }, options: Options = {}): Promise<Body> {
  const { url } = await serve(options);
  return (await ask(url + path, init)).body;
}

/** What is answered to bytes that no client would send. */
async function dial(port: number, bytes: string): Promise<Body> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return JSON.parse((await text(socket)).split('\r\n\r\n').at(-1)!);
}

async function failing(failure: unknown, path = '/symbols/AAPL/status'): Promise<Body> {
  const { url, fake } = await serve();
  fake.failure = failure;
  return (await ask(url + path)).body;
}

async function refused(answer: UploadAnswer): Promise<Body> {
  const { url, fake } = await serve();
  fake.answer = answer;
  return (await postCsv(url)).body;
}

async function operated(what: 'retry' | 'cancel', answer: Partial<Served['fake']>): Promise<Body> {
  const { url, fake } = await serve();
  Object.assign(fake, answer);
  return (await ask(`${url}/onboarding/jobs/${jobId}/${what}`, { method: 'POST' })).body;
}

async function uploadedWithKey(claimed: KeyClaim): Promise<Body> {
  const { url, fake } = await serve();
  const ports = { keys: { claim: async () => claimed }, newId: () => jobId };
  fake.service.portfolios.upload = (input, { key }) => uploadOnce(ports as never, input, key!);
  const headers = { 'content-type': 'text/csv', 'idempotency-key': 'k' };
  return (await ask(`${url}/portfolios`, { method: 'POST', headers, body: csv })).body;
}

const post = (headers: Record<string, string>) => ({
  path: '/portfolios',
  method: 'POST',
  headers,
  body: csv,
});
const { problems = [], warnings } = parsePortfolioCsv(Buffer.from(csv.replace('10,', '0,')), {
  today: '2026-03-02',
  baseCurrency: 'USD',
});
const unknownSymbol = failures.notFound({ provider: 'yahoo', symbol: 'APPL' }).message;
const timedOut = failures.timeout({ provider: 'yahoo', deadlineMs: 10_000 });

/** One request for each code that is answered with it. */
const provoked: Record<ProblemCode, () => Promise<Body>> = {
  malformed_request: () => get('/symbols/%zz/status'),
  malformed_json: async () => (await postJson((await serve()).url, '{"name": ')).body,
  malformed_form: () =>
    send({ ...post({ 'content-type': 'multipart/form-data; boundary=x' }), body: '--x\r\n' }),
  foreign_host: async () =>
    dial((await serve()).port, 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
  cross_origin: async () => {
    const body = await send(post({ origin: 'https://evil.example', 'content-type': 'text/csv' }));
    return { ...body, detail: body.detail.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:3000') };
  },
  unauthenticated: () => get('/portfolios', {}, { tokens }),
  operators_only: () =>
    send({ path: '/onboarding/pause', method: 'POST', headers: credentials('ann') }, { tokens }),
  not_found: () => get('/nowhere'),
  portfolio_not_found: () => get(`/portfolios/${missingId}`),
  symbol_unknown: () => get('/symbols/ZZZ'),
  inspector_disabled: () => get('/inspector', {}, { inspection: null }),
  transition_not_found: () => get(`/onboarding/actors/${jobId}?at=4`),
  job_not_found: () => get(`/onboarding/jobs/${missingId}`),
  method_not_allowed: () => send({ path: '/portfolios', method: 'DELETE' }),
  not_acceptable: () => get('/portfolios', { accept: 'text/html' }),
  request_timeout: async () =>
    dial((await serve({ connections: { headersMs: 50, checkMs: 10 } })).port, 'GET '),
  not_retryable: () => operated('retry', { retried: { kind: 'not_retryable', status: 'processing' } }),
  symbol_busy: () => operated('retry', { retried: { kind: 'symbol_busy', job_id: jobId } }),
  too_late_to_cancel: () => operated('cancel', { cancelled: { kind: 'too_late' } }),
  not_cancellable: () => operated('cancel', { cancelled: { kind: 'not_cancellable', status: 'completed' } }),
  idempotency_in_flight: () => uploadedWithKey({ kind: 'in_flight', heldSeconds: 1, leftSeconds: 29 }),
  payload_too_large: async () =>
    (await postCsv((await serve()).url, Buffer.alloc(10 * 2 ** 20 + 1, 'x'))).body,
  uri_too_long: () => get(`/symbols/${'A'.repeat(300)}/status`),
  unsupported_media_type: () => send(post({ 'content-type': 'text/plain' })),
  unsupported_charset: () => send(post({ 'content-type': 'text/csv; charset=latin1' })),
  unsupported_encoding: () => send(post({ 'content-type': 'text/csv', 'content-encoding': 'gzip' })),
  invalid_request: () => get('/onboarding/jobs?limit=9000'),
  invalid_form: async () => (await postForm((await serve()).url, { name: 'Mine' })).body,
  invalid_rows: () =>
    refused({
      kind: 'rejected_rows',
      problems: problems!.map(remarkOf),
      warnings: warnings.map(remarkOf),
    }),
  invalid_symbols: () =>
    refused({ kind: 'invalid_symbols', symbols: [{ symbol: 'APPL', reason: unknownSymbol }] }),
  too_many_symbols: () => refused({ kind: 'too_many_symbols', needed: 60, limit: 50 }),
  idempotency_key_reused: () => uploadedWithKey({ kind: 'reused' }),
  upgrade_required: () => get('/ws'),
  rate_limited: async () => {
    const { url } = await serve({ rates: { requests: 1 } });
    await ask(`${url}/onboarding`);
    return (await ask(`${url}/onboarding`)).body;
  },
  too_many_connections: async () => {
    const { url } = await serve({ live: { socketsPerClient: 1 } });
    const stream = await fetch(`${url}/events?symbols=AAPL`);
    const { body } = await ask(`${url}/events?symbols=AAPL`);
    await stream.body!.cancel();
    return body;
  },
  headers_too_large: async () =>
    dial((await serve()).port, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`),
  internal_error: () => failing(new Error('a mistake of ours')),
  queue_full: () => refused({ kind: 'queue_full', needed: 4, depth: 48, limit: 50, retry_after_seconds: 42 }),
  symbols_unverifiable: () =>
    refused({
      kind: 'unverifiable',
      symbols: [{ symbol: 'AAPL', reason: timedOut.message }],
      retry_after_seconds: 30,
    }),
  provider_timeout: () => failing(timedOut),
  provider_unavailable: () =>
    failing(failures.unavailable({ provider: 'yahoo', what: 'answered with status 500', status: 500 })),
  provider_throttled: () => failing(failures.throttled({ provider: 'yahoo', retryAt: now + 42_000 })),
  not_ready: async () => {
    const { url, fake } = await serve();
    const clock = { now: () => now, sleepUntil: () => new Promise<void>(() => {}) };
    fake.service.health.ready = healthChecks({ database: () => Promise.reject(new Error('away')) }, clock);
    return (await ask(`${url}/health/ready`)).body;
  },
  shutting_down: async () => {
    const { url, port, server, fake } = await serve();
    const held = Promise.withResolvers<typeof overview>();
    fake.service.onboarding.overview = () => held.promise;
    const socket = connect(port, '127.0.0.1');
    const line = 'GET /onboarding HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const stream = await fetch(`${url}/events?symbols=AAPL`);
    socket.write(line);
    void server.close();
    await stream.text(); // its end says that the server has begun to close
    socket.write(line);
    held.resolve(overview);
    return JSON.parse(`{${(await text(socket)).split('\r\n\r\n{').at(-1)}`);
  },
  temporarily_unavailable: () =>
    failing(classified(Object.assign(new Error('deadlock detected'), { code: '40P01' }))),
};

describe('the examples of problems', () => {
  const answers: Record<string, unknown> = {};

  test.each(Object.keys(problemCatalog) as ProblemCode[])('has one of %s', async (code) => {
    const problem = await provoked[code]();
    expect(problemSchema.strict().parse(problem)).toMatchObject({ code });
    answers[code] = problem;
  });

  test('are what was answered', () => {
    expectRecorded(recorded, answers);
  });
});
