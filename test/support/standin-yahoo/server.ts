import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chartBody,
  chartNotFound,
  chartTooEarly,
  crumbRefused,
  emptyChartBody,
  quoteBody,
  type StandinBody,
  withoutCloses,
} from './bodies.ts';
import { cookieAnswer, hasCookies } from './consent.ts';
import { type Counts, controlled, counted, noCounts, type State } from './control.ts';
import { FaultList, type StandinFault } from './faults.ts';

/** An answer of Yahoo as it was recorded; it stands in for the simulated market where the symbols are the same. */
export interface Recording {
  path: string;
  status: number;
  headers?: Record<string, string | string[]>;
  bodyJson?: unknown;
  bodyText?: string;
}

export interface StandinOptions {
  /** Which simulated market it serves. */
  seed?: number;
  /** Epoch milliseconds; the system's clock when missing. */
  now?: () => number;
  /** A free port, chosen by the kernel, when missing. Always on the loopback interface. */
  port?: number;
  faults?: readonly StandinFault[];
  /** Ask for consent before handing out cookies, as Yahoo does in the EU. */
  consent?: boolean;
  recordings?: readonly Recording[];
  /** Awaited before a request is answered, with its host, path and query, decoded: a test holds it back. */
  before?: (target: string) => Promise<void> | void;
  /** Called when a fault has met its request: a test lets the deadline pass then, without a timer. */
  onFault?: (fault: StandinFault) => void;
}

/** One request as it arrived, data and cookies alike; control requests are not logged. */
export interface LoggedRequest {
  method: string;
  /** The host that the client meant: `x-original-host`, or the one that usually serves the path. */
  host: string;
  /** Path and query as sent. */
  path: string;
  status: number;
  fault: string | null;
}

export interface StandinYahoo {
  /** For `YAHOO_BASE_URL`. */
  url: string;
  /** Requests since the start or the last `forget`, in the order of their arrival. */
  requests(): LoggedRequest[];
  /** The same, by what was asked for. */
  counts(): Counts;
  forget(): void;
  setFaults(faults: readonly StandinFault[]): void;
  /** From now on only a new crumb is taken. */
  rotateCrumb(): void;
  close(): Promise<void>;
}

const sorryPage = '<!doctype html><title>Yahoo</title><p>Sorry, the page you requested cannot be found.';
const logMax = 10_000; // requests kept: an afternoon of a load test

/**
 * A server that speaks Yahoo Finance's protocol and serves the simulated market: cookies, crumb, v7 quote, v8 chart.
 *
 *     const yahoo = await startStandinYahoo({ seed: 1 });
 *     yahooProvider({ clock, baseUrl: yahoo.url });
 *
 * By hand and from other processes: the commands of `control.ts`.
 */
export async function startStandinYahoo(options: StandinOptions = {}): Promise<StandinYahoo> {
  const { recordings = [], consent = false } = options;
  const state: State = {
    log: [],
    counts: noCounts(),
    faults: new FaultList(),
    crumbs: 0,
    recordings,
    consent,
    options,
  };
  state.faults.set(options.faults ?? []);
  const server = createServer((request, response) => {
    const answering = request.url?.startsWith('/__control/') ? answerControl : serve;
    answering(state, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, { status: 400, body: { error: String(error) } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => structuredClone(state.log),
    counts: () => structuredClone(state.counts),
    forget: () => {
      state.log.length = 0;
      state.counts = noCounts();
    },
    setFaults: (faults) => state.faults.set(faults),
    rotateCrumb: () => {
      state.crumbs += 1;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

// Real ones look like this, and change: `haT3oykhHqZ`.
const crumbOf = ({ crumbs }: State): string => `haT3oykhHq${crumbs}`;

async function answerControl(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await controlled(state, {
    command: `${request.method} ${request.url}`,
    body: await text(request),
  });
  if (answer === null) response.writeHead(204).end();
  else sendJson(response, answer);
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://standin');
  const host = String(request.headers['x-original-host'] ?? usualHost(url.pathname));
  const target = decodeURIComponent(`${host}${url.pathname}${url.search}`);
  const fault = state.faults.take(target);
  const entry: LoggedRequest = {
    method: request.method ?? 'GET',
    host,
    path: url.pathname + url.search,
    status: 0,
    fault: fault?.kind ?? null,
  };
  state.log.push(entry);
  counted(state.counts, url);
  if (state.log.length > logMax) state.log.shift();
  response.once('close', () => {
    entry.status = response.headersSent ? response.statusCode : 0;
  });
  await state.options.before?.(target);
  const cookies = request.headers.cookie;
  if (fault?.kind === 'late') await sleep(fault.delayMs ?? 1000);
  else if (fault !== null) {
    misbehave(state, { fault, url, cookies }, response);
    state.options.onFault?.(fault);
    return;
  }
  const recorded = recordingOf(state, url);
  if (recorded && url.pathname !== '/v7/finance/quote') {
    sendRecorded(response, recorded);
    return;
  }
  const page = cookieAnswer({ ...entry, path: url.pathname, cookies }, { consent: state.consent });
  if (page !== null) {
    const headers = { 'content-type': 'text/html; charset=utf-8', 'set-cookie': page.cookies };
    response
      .writeHead(page.status, page.location ? { ...headers, location: page.location } : headers)
      .end(page.body);
    return;
  }
  if (url.pathname === '/v1/test/getcrumb') {
    sendText(
      response,
      hasCookies(cookies) ? 200 : 401,
      hasCookies(cookies) ? crumbOf(state) : 'Unauthorized',
    );
    return;
  }
  sendJson(response, dataBody(state, url, cookies));
}

function dataBody(state: State, url: URL, cookies: string | undefined): StandinBody {
  const { seed = 1, now = Date.now } = state.options;
  const view = { seed, now: now() };
  const recorded = recordingOf(state, url);
  if (url.pathname === '/v7/finance/quote') {
    if (!hasCookies(cookies) || url.searchParams.get('crumb') !== crumbOf(state)) return crumbRefused();
    if (recorded) return { status: recorded.status, body: recorded.bodyJson ?? recorded.bodyText };
    return quoteBody((url.searchParams.get('symbols') ?? '').split(',').filter(Boolean), view);
  }
  if (recorded) return { status: recorded.status, body: recorded.bodyJson ?? recorded.bodyText };
  const symbol = chartSymbol(url);
  if (symbol !== null) return chartBody(symbol, url.searchParams, view);
  return {
    status: 404,
    body: { finance: { result: null, error: { code: 'Not Found', description: url.pathname } } },
  };
}

function misbehave(
  state: State,
  { fault, url, cookies }: { fault: StandinFault; url: URL; cookies: string | undefined },
  response: ServerResponse,
): void {
  const view = { seed: state.options.seed ?? 1, now: (state.options.now ?? Date.now)() };
  const symbol = chartSymbol(url);
  switch (fault.kind) {
    case 'timeout':
      break;
    case '429':
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter));
      sendText(response, 429, 'Too Many Requests\r\n');
      break;
    case '500':
    case 'html':
      response.writeHead(fault.kind === '500' ? 500 : 200, { 'content-type': 'text/html' }).end(sorryPage);
      break;
    case '400':
      sendJson(response, chartTooEarly(url.searchParams));
      break;
    case 'redirect':
      response.writeHead(302, { location: 'https://guce.yahoo.com/consent?brandType=nonEu' }).end();
      break;
    case 'nulls':
      sendJson(response, withoutCloses(dataBody(state, url, cookies)));
      break;
    case '401':
      sendJson(response, crumbRefused());
      break;
    case '404':
      sendJson(response, chartNotFound());
      break;
    case 'empty':
      sendJson(response, symbol === null ? quoteBody([], view) : emptyChartBody(symbol, view));
      break;
    case 'cut':
    case 'slow': {
      const body = JSON.stringify(dataBody(state, url, cookies).body);
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.write(body.slice(0, body.length / 2), () => {
        if (fault.kind === 'cut') response.destroy();
      });
    }
  }
}

const recordingOf = ({ recordings }: State, url: URL): Recording | undefined =>
  recordings.find((one) => meaningOf(new URL(one.path, url)) === meaningOf(url));

function sendRecorded(
  response: ServerResponse,
  { status, headers = {}, bodyJson, bodyText }: Recording,
): void {
  const { location, 'set-cookie': cookies, 'content-type': type } = headers;
  response.setHeader('content-type', String(type ?? 'application/json'));
  if (location) response.setHeader('location', location);
  if (cookies) response.setHeader('set-cookie', cookies);
  response.writeHead(status).end(bodyText ?? JSON.stringify(bodyJson));
}

function sendJson(response: ServerResponse, { status, body }: StandinBody): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' }).end(JSON.stringify(body));
}

function sendText(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain;charset=utf-8' }).end(body);
}

const chartSymbol = ({ pathname }: URL): string | null => {
  const symbol = /^\/v8\/finance\/chart\/([^/]+)$/.exec(pathname)?.[1];
  return symbol === undefined ? null : decodeURIComponent(symbol).toUpperCase();
};

/** What a URL asks about, whatever its dates and crumb: two URLs with one meaning have one recording. */
const meaningOf = (url: URL): string =>
  `${decodeURIComponent(url.pathname)} ${url.searchParams.get('symbols') ?? ''}`;

function usualHost(path: string): string {
  if (path.startsWith('/quote/')) return 'finance.yahoo.com';
  return path.startsWith('/v1/test/') ? 'query1.finance.yahoo.com' : 'query2.finance.yahoo.com';
}
