import PQueue from 'p-queue';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { nobodyObserves, noteRequest, type ObserveProvider, type TellProvider } from './calls.ts';
import { failures } from './failures.ts';
import { isDataRequest, judgeAnswer } from './yahoo-answers.ts';

export interface YahooFetchOptions {
  clock: Clock;
  /** Send everything to this origin, the original host in `x-original-host`: for proxies and stand-ins. */
  baseUrl?: string | undefined;
  /** Requests in flight at once, bodies included. */
  concurrency?: number;
  /** Milliseconds between the starts of two requests. */
  intervalMs?: number;
  /** What one request may take, from its start to the last byte of its body; waiting for its turn not counted. */
  deadlineMs?: number;
  /** The pause after a 429 that does not say how long. */
  throttleMs?: number;
  /** Who is told of each request. */
  observe?: ObserveProvider;
}

// Cookies, consent, crumb and data come from these; whatever sends us elsewhere is not Yahoo.
const hosts = [
  'query1.finance.yahoo.com',
  'query2.finance.yahoo.com',
  'finance.yahoo.com',
  'guce.yahoo.com',
  'consent.yahoo.com',
];
const bodyless = [204, 205, 304];

/**
 * The one `fetch` through which all of yahoo-finance2's traffic goes: allowed hosts only, one limiter, a deadline
 * that covers the body, redirects never followed here, and every failure an `AppError`.
 *
 * The library frees its own slot when the headers arrive and has no timeout, so its queue is left wide open and
 * this one rules. A caller's signal ends its own data request, queued or running; requests for cookies and the
 * crumb are shared by callers that wait for them, and only their deadline ends them.
 */
export function yahooFetch(options: YahooFetchOptions): typeof fetch {
  const { concurrency = 4, intervalMs = 0, observe = nobodyObserves } = options;
  const queue = new PQueue({
    concurrency,
    ...(intervalMs > 0 && { interval: intervalMs, intervalCap: 1, strict: true }),
  });
  return async (input, init = {}) => {
    const url = new URL(String(input));
    if (url.protocol !== 'https:' || !hosts.includes(url.host)) {
      throw failures.unavailable({
        provider: 'yahoo',
        what: `sent us to a host that is not its own: ${url.host}`,
      });
    }
    const signal = isDataRequest(url) ? (init.signal ?? undefined) : undefined;
    const tell = observe(); // before the queue: what runs behind it no longer knows who asked
    return queue.add(() => send(url, { ...init, signal: signal ?? null }, { ...options, tell }), { signal });
  };
}

async function send(
  url: URL,
  init: RequestInit,
  options: YahooFetchOptions & { tell: TellProvider },
): Promise<Response> {
  const { clock, deadlineMs = 10_000, throttleMs = 60_000, tell } = options;
  const note = noteRequest(tell, { provider: 'yahoo', url, clock });
  const deadline = new AbortController();
  const settled = new AbortController();
  clock.sleepUntil(clock.now() + deadlineMs, settled.signal).then(
    () => deadline.abort(failures.timeout({ provider: 'yahoo', deadlineMs })),
    () => {}, // settled in time
  );
  try {
    const signals = init.signal ? [init.signal, deadline.signal] : [deadline.signal];
    const response = await fetch(
      ...rewritten(url, { ...init, signal: AbortSignal.any(signals) }, options.baseUrl),
    );
    const body = await response.text();
    const { status, statusText, headers } = response;
    note.answered({ status, bytes: Buffer.byteLength(body) });
    const retryAfter = headers.get('retry-after');
    const problem = judgeAnswer({ url, status, retryAfter, body }, { now: clock.now(), throttleMs });
    if (problem !== null) throw problem;
    const answer = new Response(bodyless.includes(status) ? null : body, { status, statusText, headers });
    note.ended();
    return answer;
  } catch (error) {
    const failure = failureOf(error, { asked: init.signal, deadline: deadline.signal });
    note.ended(failure);
    throw failure;
  } finally {
    settled.abort();
  }
}

function failureOf(error: unknown, { asked, deadline }: Signals): unknown {
  if (error instanceof AppError) return error;
  if (asked?.aborted) return asked.reason;
  if (deadline.aborted) return deadline.reason;
  return failures.unavailable({ provider: 'yahoo', what: 'could not be reached', cause: error });
}

interface Signals {
  asked: AbortSignal | null | undefined;
  deadline: AbortSignal;
}

function rewritten(
  url: URL,
  { method, headers, body, signal }: RequestInit,
  baseUrl: string | undefined,
): [URL, RequestInit] {
  const sent = new Headers(headers);
  if (baseUrl !== undefined) sent.set('x-original-host', url.host);
  const target = baseUrl === undefined ? url : new URL(url.pathname + url.search, baseUrl);
  return [
    target,
    {
      method: method ?? 'GET',
      headers: sent,
      body: body ?? null,
      signal: signal ?? null,
      redirect: 'manual',
    },
  ];
}
