import type { Problem } from '../contract/schemas.ts';
import { ConnectionError, ProblemError } from './client-errors.ts';

export interface ClientOptions {
  /** URL of the service, like `http://127.0.0.1:3000`; `location.origin` in a page of the service. */
  url: string;
  /** A bearer token, if the service needs one. */
  token?: string | null;
  /** Timeout of one request, without the time of `wait`. */
  timeoutMs?: number;
  /** Instead of the global ones. */
  fetch?: typeof globalThis.fetch;
  WebSocket?: typeof globalThis.WebSocket;
}

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface RequestOptions {
  query?: Query;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
  /** Idempotent: it is sent again if the connection is lost. GET always is. */
  repeatable?: boolean;
  /** The response is plain text, not JSON. */
  text?: boolean;
  /** Seconds that the service may hold the response (long polling). */
  wait?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Lists are sent separated by commas; undefined values are not sent. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

type Method = 'GET' | 'POST' | 'DELETE';

/** Sends one request. Throws `ProblemError`, `ConnectionError`, or the reason of the aborted signal. */
export type Send = <Body>(method: Method, path: string, options?: RequestOptions) => Promise<Answer<Body>>;

export const timeoutMsDefault = 30_000;
const pausesMs = [200, 1000]; // a restarting service is usually back within two seconds

export function httpClient(options: ClientOptions): Send {
  return async <Body>(method: Method, path: string, request: RequestOptions = {}) => {
    const { repeatable = method === 'GET', signal } = request;
    for (let sent = 0; ; sent += 1) {
      try {
        return await sendOnce<Body>(options, method, path, request);
      } catch (error) {
        const pause = pausesMs[sent];
        const lost = error instanceof ConnectionError && error.code === 'connection_lost';
        if (!repeatable || !lost || pause === undefined) throw error;
        await sleep(pause, signal);
      }
    }
  };
}

async function sendOnce<Body>(
  { url, token, timeoutMs = timeoutMsDefault, fetch = globalThis.fetch }: ClientOptions,
  method: Method,
  path: string,
  { query, body, headers, text = false, wait, signal }: RequestOptions,
): Promise<Answer<Body>> {
  const base = url.replace(/\/+$/, '');
  const deadline = AbortSignal.timeout(timeoutMs + (wait ?? 0) * 1000);
  let response: Response;
  let content: string;
  try {
    response = await fetch(base + path + queryOf(query), {
      method,
      ...(body !== undefined && { body: body as string | Uint8Array<ArrayBuffer> }),
      headers: {
        accept: text ? '*/*' : 'application/json, application/problem+json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(wait === undefined ? {} : { prefer: `wait=${wait}` }),
        ...headers,
      },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    content = await response.text();
  } catch (error) {
    signal?.throwIfAborted();
    throw unreached(base, timeoutMs, error);
  }
  const answer = response.ok && text ? content : parsed(content);
  if (answer === undefined) throw notTheService(base, response);
  if (response.ok) return { status: response.status, headers: response.headers, body: answer as Body };
  if (!isProblem(answer)) throw notTheService(base, response);
  throw new ProblemError(answer);
}

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : String(value)]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

/** Undefined for invalid JSON; null for an empty text. */
function parsed(content: string): unknown {
  try {
    return content === '' ? null : JSON.parse(content);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  const { code, detail, title, status } = (body ?? {}) as Record<string, unknown>;
  return [code, detail, title].every((field) => typeof field === 'string') && typeof status === 'number';
}

// The 502 of a gateway, or another program on that port.
function notTheService(url: string, { status, headers }: Response): ConnectionError {
  const got = `${status} ${headers.get('content-type') ?? 'without a content type'}`;
  return new ConnectionError(
    'not_the_service',
    `The response from ${url} is not from the symbol onboarding service, got: ${got}. Check the URL.`,
  );
}

// Errors after the request was sent, so it may have been done. All others happen before a byte is sent.
const lostMidRequest = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function unreached(url: string, timeoutMs: number, cause: unknown): ConnectionError {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    const message = `No response from ${url} within ${timeoutMs / 1000} s.`;
    return new ConnectionError('timeout', message, { cause });
  }
  const reason = reasonOf(cause);
  if (lostMidRequest.has(reason)) {
    return new ConnectionError('connection_lost', `The connection to ${url} was lost (${reason}).`, {
      reason,
      cause,
    });
  }
  const message = `Cannot reach the symbol onboarding service at ${url} (${reason}).`;
  return new ConnectionError('unreachable', message, { reason, cause });
}

/** The code of the system, which is the cause of fetch's "fetch failed"; several addresses fail together. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string; errors?: { code?: string }[] } })
    .cause;
  return (
    cause?.code ?? cause?.errors?.[0]?.code ?? cause?.message ?? (error as Error).message ?? 'unknown reason'
  );
}

/** Rejects with the signal's reason. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const wake = () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
