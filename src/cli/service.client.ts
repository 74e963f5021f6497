import { ConnectionError, ProblemError } from '../client/client-errors.ts';
import { type Answer, httpClient } from '../client/http.client.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure, refusal } from './failure.ts';

export interface ServiceAddress {
  /** URL of the service, without a trailing slash. */
  url: string;
  /** The bearer token; messages never show it. */
  token: string | null;
  /** Timeout of one request. */
  timeoutMs: number;
}

export type ServiceAnswer<Body> = Answer<Body>;

interface RequestOptions {
  body?: Uint8Array;
  headers?: Record<string, string>;
  /** Idempotent: it is sent again if the connection is lost. */
  repeatable?: boolean;
}

export interface ServiceClient extends ServiceAddress {
  get<Body>(path: string): Promise<ServiceAnswer<Body>>;
  post<Body>(path: string, options?: RequestOptions): Promise<ServiceAnswer<Body>>;
}

/** HTTP client of the service. Throws `CommandFailure`s for problem responses and connection errors. */
export function serviceClient(address: ServiceAddress): ServiceClient {
  const send = httpClient(address);
  return {
    ...address,
    get: (path) => send<never>('GET', path).catch(fail),
    post: (path, options) => send<never>('POST', path, options).catch(fail),
  };
}

/** What to do about a connection error on the command line. */
const advice: Partial<Record<ConnectionError['code'], string>> = {
  timeout: ' Use --timeout to wait longer.',
  unreachable: ' Start it with `symbol-onboarding serve`, or set --url or SYMBOL_ONBOARDING_URL.',
};

function fail(error: unknown): never {
  if (error instanceof ProblemError) throw refusal(error.problem);
  if (!(error instanceof ConnectionError)) throw error;
  throw new CommandFailure(exitCodes.unreachable, error.code, error.message + (advice[error.code] ?? ''));
}
