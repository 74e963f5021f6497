import type { Problem } from '../api/schemas.ts';
import { systemClock } from '../clock.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure, refusal } from './failure.ts';

export interface ServiceAddress {
  /** Where the service is, without a slash at the end. */
  url: string;
  /** The bearer token; no message ever shows it. */
  token: string | null;
  /** How long one request may take. */
  timeoutMs: number;
}

export interface ServiceAnswer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

interface RequestOptions {
  body?: Uint8Array;
  headers?: Record<string, string>;
  /** Doing it twice does no more than doing it once: it is sent again when the connection is lost. */
  repeatable?: boolean;
}

export interface ServiceClient extends ServiceAddress {
  get<Body>(path: string): Promise<ServiceAnswer<Body>>;
  post<Body>(path: string, options?: RequestOptions): Promise<ServiceAnswer<Body>>;
}

/** Speaks to the service over HTTP. Throws `CommandFailure`s: the service's refusals, and why it was not reached. */
export function serviceClient(address: ServiceAddress): ServiceClient {
  return {
    ...address,
    get: (path) => repeated(address, 'GET', path, { repeatable: true }),
    post: (path, options = {}) => repeated(address, 'POST', path, options),
  };
}

const pausesMs = [200, 1000]; // a service that restarts is back within a second or two, or not soon

async function repeated<Body>(
  address: ServiceAddress,
  method: string,
  path: string,
  options: RequestOptions,
): Promise<ServiceAnswer<Body>> {
  for (let sent = 0; ; sent += 1) {
    try {
      return await request<Body>(address, method, path, options);
    } catch (error) {
      const pause = pausesMs[sent];
      const lost = error instanceof CommandFailure && error.code === 'connection_lost';
      if (!options.repeatable || !lost || pause === undefined) throw error;
      await systemClock.sleepUntil(systemClock.now() + pause);
    }
  }
}

async function request<Body>(
  { url, token, timeoutMs }: ServiceAddress,
  method: string,
  path: string,
  { body, headers }: RequestOptions,
): Promise<ServiceAnswer<Body>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      method,
      ...(body && { body }),
      headers: {
        accept: 'application/json, application/problem+json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    throw unreached(url, timeoutMs, error);
  }
  const answer = parsed(text);
  if (answer === undefined) throw notTheService(url, response);
  if (response.ok) return { status: response.status, headers: response.headers, body: answer as Body };
  if (!isProblem(answer)) throw notTheService(url, response);
  throw refusal(answer);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  const { code, detail, title, status } = (body ?? {}) as Record<string, unknown>;
  return [code, detail, title].every((field) => typeof field === 'string') && typeof status === 'number';
}

// A gateway that says 502, or another program that has the port.
function notTheService(url: string, { status, headers }: Response): CommandFailure {
  const came = `${status} ${headers.get('content-type') ?? 'without a content type'}`;
  return new CommandFailure(
    exitCodes.unreachable,
    'not_the_service',
    `Expected the symbol onboarding service at ${url}, got an answer of something else: ${came}`,
  );
}

// In the middle of it: the request may have been done. Anything else happened before a byte was sent.
const lostOnTheWay = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function unreached(url: string, timeoutMs: number, error: unknown): CommandFailure {
  const { unreachable } = exitCodes;
  if (error instanceof Error && error.name === 'TimeoutError') {
    const message = `Expected an answer of ${url} within ${timeoutMs / 1000} s, got none. --timeout waits longer.`;
    return new CommandFailure(unreachable, 'timeout', message);
  }
  const reason = reasonOf(error);
  if (lostOnTheWay.has(reason)) {
    return new CommandFailure(
      unreachable,
      'connection_lost',
      `The connection to ${url} was lost (${reason}).`,
    );
  }
  return new CommandFailure(
    unreachable,
    'unreachable',
    `Expected the symbol onboarding service at ${url}, got: ${reason}. Start it with \`symbol-onboarding serve\`, ` +
      'or name another with --url or SYMBOL_ONBOARDING_URL.',
  );
}

/** The system's own code, from below fetch's "fetch failed"; several addresses fail together. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string; errors?: { code?: string }[] } })
    .cause;
  return (
    cause?.code ?? cause?.errors?.[0]?.code ?? cause?.message ?? (error as Error).message ?? 'unknown reason'
  );
}
