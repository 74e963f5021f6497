import type { AppError } from '../../kernel/errors.ts';
import { failures } from '../provider-failures.ts';
import { chartProblem } from './yahoo-chart.ts';

/** An HTTP response from Yahoo with its body. */
export interface YahooAnswer {
  /** The requested URL, before any rewriting. */
  url: URL;
  status: number;
  /** The `retry-after` header. */
  retryAfter: string | null;
  body: string;
}

/** Whether a request is for data, not for cookies, consent or the crumb. */
export function isDataRequest(url: URL): boolean {
  return /^\/v\d+\/finance\//.test(url.pathname);
}

/**
 * The failure in a response, or null if the client library can have it.
 *
 * The library drops the status, the headers and `Retry-After`, so responses are checked before it sees them. Only an
 * error in Yahoo's own format is permanent: a 404 without it comes from a proxy or a gateway and counts as an outage.
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

/** Whether Yahoo rejected our crumb. A new crumb fixes it. */
export function isCrumbRefused(error: unknown): boolean {
  const details = (error as AppError | undefined)?.details;
  return details?.status === 401;
}

const retryAfterMaxMs = 3_600_000; // "in a year" is a mistake: try again after an hour

/**
 * The instant to wait for: `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), otherwise the default pause.
 * At most one hour ahead.
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
const evidenceMax = 80; // characters of a body that go into a cause: an HTML page can have a million

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
  // The library logs, or fails on, an unexpected shape.
  return symbol === undefined ? null : chartProblem((json as ChartEnvelope).chart?.result?.[0]);
}

interface ChartEnvelope {
  chart?: { result?: unknown[] | null } | null;
}

/** The error in `{ "chart": { "result": null, "error": { code, description } } }`, whatever the first key is. */
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
    what: `sent something other than ${expected}`,
    cause: new Error(`expected ${expected}, got: ${body.slice(0, evidenceMax)}`),
  });

const isCrumbRequest = (url: URL): boolean => url.pathname === '/v1/test/getcrumb';

// Recorded: 11 characters, `haT3oykhHqZ`; others had slashes and dots. An error text has spaces, a page has tags.
const isCrumb = (body: string): boolean => /^[^\s<>{}]{4,64}$/.test(body);
