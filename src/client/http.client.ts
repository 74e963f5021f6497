import type { Problem } from '../contract/schemas.ts';
import { ConnectionError, ProblemError } from './client-errors.ts';

export interface ClientOptions {
  /** Where the service is, like `http://127.0.0.1:3000`; in a browser `location.origin` where it serves the page too. */
  url: string;
  /** A bearer token, where the service asks for one. */
  token?: string | null;
  /** How long one request may take, waiting that it asks for aside. */
  timeoutMs?: number;
  /** In place of the global ones. */
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
  /** Doing it twice does no more than doing it once: it is sent again when the connection is lost. GET always is. */
  repeatable?: boolean;
  /** Plain text, where the answer is not JSON. */
  text?: boolean;
  /** Seconds for which the service may hold the answer back. */
  wait?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Lists are sent separated by commas; what is undefined is not sent. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

type Method = 'GET' | 'POST' | 'DELETE';

/** Sends one request. Throws `ProblemError`, `ConnectionError`, and the reason of a signal that is aborted. */
export type Send = <Body>(method: Method, path: string, options?: RequestOptions) => Promise<Answer<Body>>;

export const timeoutMsDefault = 30_000;
const pausesMs = [200, 1000]; // a service that restarts is back within a second or two, or not soon

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

/** Undefined for what is no JSON; nothing at all is null. */
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

// A gateway that says 502, or another program that has the port.
function notTheService(url: string, { status, headers }: Response): ConnectionError {
  const came = `${status} ${headers.get('content-type') ?? 'without a content type'}`;
  return new ConnectionError(
    'not_the_service',
    `Expected the symbol onboarding service at ${url}, got an answer of something else: ${came}`,
  );
}

// In the middle of it: the request may have been done. Anything else happened before a byte was sent.
const lostMidRequest = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function unreached(url: string, timeoutMs: number, cause: unknown): ConnectionError {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    const message = `Expected an answer of ${url} within ${timeoutMs / 1000} s, got none.`;
    return new ConnectionError('timeout', message, { cause });
  }
  const reason = reasonOf(cause);
  if (lostMidRequest.has(reason)) {
    return new ConnectionError('connection_lost', `The connection to ${url} was lost (${reason}).`, {
      reason,
      cause,
    });
  }
  const message = `Expected the symbol onboarding service at ${url}, got: ${reason}.`;
  return new ConnectionError('unreachable', message, { reason, cause });
}

/** The system's own code, from below fetch's "fetch failed"; several addresses fail together. */
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
