import type { AppError } from '../../kernel/errors.ts';
import { failures } from '../provider-failures.ts';
import { chartProblem } from './yahoo-chart.ts';

/** An HTTP answer of Yahoo, its body read. */
export interface YahooAnswer {
  /** The URL that was asked for, before any rewriting. */
  url: URL;
  status: number;
  /** The `retry-after` header. */
  retryAfter: string | null;
  body: string;
}

/** Requests for data, in contrast to those that fetch cookies, consent and the crumb. */
export function isDataRequest(url: URL): boolean {
  return /^\/v\d+\/finance\//.test(url.pathname);
}

/**
 * What is wrong with an answer, or null where it can be handed to the client library.
 *
 * The library loses the status, the headers and `Retry-After`, so answers are judged before it sees them. Only
 * Yahoo's own words make an answer permanent: a 404 without them comes from something in between and is an outage.
 */
export function judgeAnswer(
  answer: YahooAnswer,
  { now, throttleMs }: { now: number; throttleMs: number },
): AppError | null {
  const { url, status, body } = answer;
  if (status === 429 || (isCrumbRequest(url) && /too many requests/i.test(body))) {
    return failures.throttled({ provider, retryAt: waitUntil(answer.retryAfter, { now, throttleMs }) });
  }
  if (status >= 500) return refused(status);
  if (isCrumbRequest(url)) return status === 200 && !isCrumb(body) ? unreadable('a crumb', body) : null;
  return isDataRequest(url) ? judgeData(answer) : null;
}

/** Whether Yahoo no longer takes our crumb: a new one mends it. */
export function isCrumbRefused(error: unknown): boolean {
  const details = (error as AppError | undefined)?.details;
  return details?.status === 401;
}

const retryAfterMaxMs = 3_600_000; // whoever says "in a year" is mistaken, and is asked again in an hour

/**
 * The instant to wait for: `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), else the default pause.
 * At most an hour.
 *
 *     waitUntil('120', { now: 0, throttleMs: 60_000 })   // 120000
 */
export function waitUntil(
  retryAfter: string | null,
  { now, throttleMs }: { now: number; throttleMs: number },
): number {
  const text = retryAfter?.trim() ?? '';
  const until = /^\d+$/.test(text) ? now + Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(until) ? now + throttleMs : Math.min(Math.max(now, until), now + retryAfterMaxMs);
}

const provider = 'yahoo';
const evidenceMax = 80; // characters of a body that go into a cause: a page of HTML has a million

function judgeData({ url, status, body }: YahooAnswer): AppError | null {
  const json = parsed(body);
  const problem = problemIn(json);
  const symbol = /^\/v8\/finance\/chart\/([^/]+)$/.exec(url.pathname)?.[1];
  if (symbol !== undefined && problem?.code === 'Not Found') {
    return failures.notFound({ provider, symbol: decodeURIComponent(symbol), cause: problem });
  }
  if (symbol !== undefined && problem?.description?.startsWith("Data doesn't exist")) {
    return failures.noPriceData({ symbol: decodeURIComponent(symbol), bars: 0, cause: problem });
  }
  if (status >= 300 || problem !== null) return refused(status, problem ?? undefined);
  if (typeof json !== 'object' || json === null) return unreadable('JSON', body);
  // The library prints, or trips over, shapes that it does not expect.
  return symbol === undefined ? null : chartProblem((json as ChartEnvelope).chart?.result?.[0]);
}

interface ChartEnvelope {
  chart?: { result?: unknown[] | null } | null;
}

/** `{ "chart": { "result": null, "error": { code, description } } }`, whatever the first key is. */
function problemIn(json: unknown): { code?: string; description?: string } | null {
  if (typeof json !== 'object' || json === null) return null;
  const [envelope] = Object.values(json);
  return envelope?.error ?? null;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const refused = (status: number, cause?: unknown): AppError =>
  failures.unavailable({ provider, what: `answered with status ${status}`, status, cause });

const unreadable = (expected: string, body: string): AppError =>
  failures.unavailable({
    provider,
    what: `answered with something that is not ${expected}`,
    cause: new Error(`expected ${expected}, got: ${body.slice(0, evidenceMax)}`),
  });

const isCrumbRequest = (url: URL): boolean => url.pathname === '/v1/test/getcrumb';

// Recorded: 11 characters, `haT3oykhHqZ`; others had slashes and dots. An error text has blanks, a page has tags.
const isCrumb = (body: string): boolean => /^[^\s<>{}]{4,64}$/.test(body);
