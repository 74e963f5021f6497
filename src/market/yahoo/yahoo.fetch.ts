import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  noteRequest,
  type ObserveProvider,
  type ReportProviderEvent,
  unobserved,
} from '../provider-calls.ts';
import { failures } from '../provider-failures.ts';
import type { Gate } from '../provider-gate.client.ts';
import { isDataRequest, judgeAnswer } from './yahoo-answers.ts';

export interface YahooFetchOptions {
  clock: Clock;
  /** The process's limiter and breaker for Yahoo. */
  gate: Gate;
  /** Send everything to this origin, with the original host in `x-original-host`. For proxies and test servers. */
  baseUrl?: string | undefined;
  /** Timeout of one request, from its start to the last byte of its body, without the time in the queue. */
  deadlineMs?: number;
  /** The pause after a 429 without `Retry-After`. Each consecutive one is twice as long. */
  throttleMs?: number;
  /** The current job's listener for requests. */
  observe?: ObserveProvider;
}

// Hosts of cookies, consent, crumb and data. A redirect to any other host is not from Yahoo.
const hosts = [
  'query1.finance.yahoo.com',
  'query2.finance.yahoo.com',
  'finance.yahoo.com',
  'guce.yahoo.com',
  'consent.yahoo.com',
];
const bodyless = [204, 205, 304];
const throttleMaxMs = 900_000; // bans last for hours; this notices the end of one within a quarter of an hour

/**
 * The `fetch` for all traffic of yahoo-finance2: allowed hosts only, the gate, a deadline that includes the body, no
 * automatic redirects, and every failure an `AppError`.
 *
 * The library frees its slot when the headers arrive and has no timeout, so its queue is unlimited and the gate limits
 * concurrency. A caller's signal ends its own data request, queued or running. Requests for cookies and the crumb are
 * shared by all waiting callers, so only their deadline ends them. Yahoo has throttled them for days while it served
 * charts, so they do not count for the breaker.
 */
export function yahooFetch(options: YahooFetchOptions): typeof fetch {
  const { clock, throttleMs = 60_000, observe = unobserved } = options;
  let throttles = 0; // consecutive pauses; a 429 received during a pause does not count
  let throttledUntil = 0;

  const sendCounting = async (
    url: URL,
    init: RequestInit,
    report: ReportProviderEvent,
  ): Promise<Response> => {
    const pauseMs = Math.min(throttleMaxMs, throttleMs * 2 ** Math.min(throttles, 20));
    try {
      const response = await send(url, init, { ...options, report, throttleMs: pauseMs });
      if (isDataRequest(url)) throttles = 0;
      return response;
    } catch (error) {
      if (isDataRequest(url) && error instanceof AppError && error.retryAt !== undefined) {
        if (clock.now() >= throttledUntil) throttles += 1;
        throttledUntil = error.retryAt;
      }
      throw error;
    }
  };

  return async (input, init = {}) => {
    const url = new URL(String(input));
    if (url.protocol !== 'https:' || !hosts.includes(url.host)) {
      throw failures.unavailable({
        provider: 'yahoo',
        what: `redirected to an unexpected host: ${url.host}`,
      });
    }
    const countsForBreaker = isDataRequest(url);
    const signal = countsForBreaker ? (init.signal ?? undefined) : undefined;
    const request = { provider: 'yahoo', signal, countsForBreaker } as const;
    const report = observe(); // before the gate: behind it the context of the job is lost
    return options.gate.pass(request, () => sendCounting(url, { ...init, signal: signal ?? null }, report));
  };
}

async function send(
  url: URL,
  init: RequestInit,
  options: YahooFetchOptions & { report: ReportProviderEvent },
): Promise<Response> {
  const { clock, deadlineMs = 10_000, throttleMs = 60_000, report } = options;
  const note = noteRequest(report, { provider: 'yahoo', url, clock });
  const deadline = new AbortController();
  const finished = new AbortController();
  clock.sleepUntil(clock.now() + deadlineMs, finished.signal).then(
    () => deadline.abort(failures.timeout({ provider: 'yahoo', deadlineMs })),
    () => {}, // finished in time
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
    const failure = failureOf(error, { caller: init.signal, deadline: deadline.signal });
    note.ended(failure);
    throw failure;
  } finally {
    finished.abort();
  }
}

function failureOf(error: unknown, { caller, deadline }: Signals): unknown {
  if (error instanceof AppError) return error;
  if (caller?.aborted) return caller.reason;
  if (deadline.aborted) return deadline.reason;
  return failures.unavailable({ provider: 'yahoo', what: 'could not be reached', cause: error });
}

interface Signals {
  caller: AbortSignal | null | undefined;
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
