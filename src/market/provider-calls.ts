import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';

/** One request that was sent to a provider, as the timeline of the job that sent it shows it. */
export interface ProviderRequest {
  kind: 'request';
  provider: string;
  /** Without secrets: see `publicUrl`. A provider without HTTP names what it was asked, like `simulated:history?…`. */
  url: string;
  /** The HTTP status; null where no answer came, or where the provider has none. */
  status: number | null;
  /** `ok`, `aborted`, or the code of the failure that the answer was judged to be. */
  result: string;
  durationMs: number;
  /** Of the answer's body; null where none came. */
  bytes: number | null;
  /** When it was sent, epoch milliseconds. */
  at: number;
}

/** A provider was passed over for the next one in the list. */
export interface ProviderFallback {
  kind: 'fallback';
  from: string;
  to: string;
  /** The code of the failure, and what it said. */
  code: string;
  message: string;
  at: number;
}

export type ProviderEvent = ProviderRequest | ProviderFallback;
export type ReportProviderEvent = (event: ProviderEvent) => void;

/**
 * Who is to be told of what happens on behalf of whoever asks now. Ask when a request is made, before it waits for its
 * turn: what is told through the answer then belongs to that job, however late and from wherever it is told. Outside a
 * job (an upload that verifies symbols) nobody listens, and telling does nothing.
 */
export type ObserveProvider = () => ReportProviderEvent;

export const unobserved: ObserveProvider = () => () => {};

// Values that say what was asked for, and nothing else. All others are hidden: crumbs, sessions, keys of later providers.
const harmless = new Set(
  'symbols fields interval period1 period2 from to range events region lang formatted includePrePost useYfid return'
    .split(' ')
    .concat('adjusted', 'limit', 'sort', 'symbol'),
);
const urlMax = 400;

/**
 * A URL that may be shown to people and kept: no user, no fragment, `***` for each value that is not known to be harmless.
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

/** The note of one request, from its start on. */
export interface RequestNote {
  /** Headers and body have come. */
  answered(answer: { status: number | null; bytes: number }): void;
  /** It is over: with no failure, or with this one. */
  ended(failure?: unknown): void;
}

/** Begins the note of a request that is sent now; `ended` tells it. */
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
