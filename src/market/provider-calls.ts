import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';

/** One request to a provider, as shown in the timeline of the job that sent it. */
export interface ProviderRequest {
  kind: 'request';
  provider: string;
  /** Without secrets, see `publicUrl`. A provider without HTTP uses a URL of its own, like `simulated:history?…`. */
  url: string;
  /** The HTTP status; null without a response, or if the provider does not use HTTP. */
  status: number | null;
  /** `ok`, `aborted`, or the code of the failure. */
  result: string;
  durationMs: number;
  /** Size of the response body; null without a response. */
  bytes: number | null;
  /** When the request was sent, epoch milliseconds. */
  at: number;
}

/** A provider failed, and the next one in the list was used. */
export interface ProviderFallback {
  kind: 'fallback';
  from: string;
  to: string;
  /** Code and message of the failure. */
  code: string;
  message: string;
  at: number;
}

export type ProviderEvent = ProviderRequest | ProviderFallback;
export type ReportProviderEvent = (event: ProviderEvent) => void;

/**
 * Returns the event listener of the current job. Call it when a request is made, before the request waits in a queue:
 * events reported through the result then belong to that job, however late they are and wherever they are reported.
 * Outside a job (an upload that verifies symbols) the listener does nothing.
 */
export type ObserveProvider = () => ReportProviderEvent;

export const unobserved: ObserveProvider = () => () => {};

// Query parameters that only say what was requested. All others are masked: crumbs, sessions, API keys.
const harmless = new Set(
  'symbols fields interval period1 period2 from to range events region lang formatted includePrePost useYfid return'
    .split(' ')
    .concat('adjusted', 'limit', 'sort', 'symbol'),
);
const urlMax = 400;

/**
 * A URL that is safe to show and store: no user, no fragment, and `***` for every value that is not known to be
 * harmless.
 *
 *     publicUrl('https://query2.finance.yahoo.com/v8/finance/chart/AAPL?interval=1d&crumb=x')
 *     // https://query2.finance.yahoo.com/v8/finance/chart/AAPL?interval=1d&crumb=***
 */
export function publicUrl(url: URL | string): string {
  if (!URL.canParse(String(url))) return '***';
  const shown = new URL(String(url));
  const query = [...shown.searchParams].map(
    ([name, value]) =>
      `${encodeURIComponent(name)}=${harmless.has(name) ? encodeURIComponent(value) : '***'}`,
  );
  const origin = shown.origin === 'null' ? shown.protocol : shown.origin;
  const text = origin + shown.pathname + (query.length > 0 ? `?${query.join('&')}` : '');
  return text.length > urlMax ? `${text.slice(0, urlMax)}…` : text;
}

/** Measures one request and reports it when it ends. */
export interface RequestNote {
  /** Headers and body were received. */
  answered(answer: { status: number | null; bytes: number }): void;
  /** The request is over, successfully or with this failure. */
  ended(failure?: unknown): void;
}

/** Starts measuring a request that is sent now; `ended` reports it. */
export function noteRequest(
  report: ReportProviderEvent,
  { provider, url, clock }: { provider: string; url: URL | string; clock: Pick<Clock, 'now'> },
): RequestNote {
  const at = clock.now();
  let answer: { status: number | null; bytes: number | null } = { status: null, bytes: null };
  return {
    answered(given) {
      answer = given;
    },
    ended(failure) {
      const durationMs = Math.max(0, Math.round(clock.now() - at));
      const result = failure === undefined ? 'ok' : failure instanceof AppError ? failure.code : 'aborted';
      report({ kind: 'request', provider, url: publicUrl(url), ...answer, result, durationMs, at });
    },
  };
}
