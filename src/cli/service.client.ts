import { ConnectionError, ProblemError } from '../client/client-errors.ts';
import { type Answer, httpClient } from '../client/http.client.ts';
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

export type ServiceAnswer<Body> = Answer<Body>;

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
  const send = httpClient(address);
  return {
    ...address,
    get: (path) => send<never>('GET', path).catch(fail),
    post: (path, options) => send<never>('POST', path, options).catch(fail),
  };
}

/** What somebody at a terminal may do about it. */
const advice: Partial<Record<ConnectionError['code'], string>> = {
  timeout: ' --timeout waits longer.',
  unreachable:
    ' Start it with `symbol-onboarding serve`, or name another with --url or SYMBOL_ONBOARDING_URL.',
};

function fail(error: unknown): never {
  if (error instanceof ProblemError) throw refusal(error.problem);
  if (!(error instanceof ConnectionError)) throw error;
  throw new CommandFailure(exitCodes.unreachable, error.code, error.message + (advice[error.code] ?? ''));
}
