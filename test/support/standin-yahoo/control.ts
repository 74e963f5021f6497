import type { StandinBody } from './bodies.ts';
import { type FaultList, readFaults } from './faults.ts';
import type { LoggedRequest, Recording, StandinOptions } from './server.ts';

/** What a stand-in is up to, and may be told to do otherwise while it runs. */
export interface State {
  log: LoggedRequest[];
  counts: Counts;
  faults: FaultList;
  /** How often the crumb was rotated. */
  crumbs: number;
  recordings: readonly Recording[];
  consent: boolean;
  options: StandinOptions;
}

/** Requests by what they asked for; unlike the log it forgets none. */
export interface Counts {
  total: number;
  /** Charts by symbol. */
  charts: Record<string, number>;
  quotes: number;
  crumbs: number;
  /** Cookies, consent and whatever else. */
  others: number;
}

export const noCounts = (): Counts => ({ total: 0, charts: {}, quotes: 0, crumbs: 0, others: 0 });

export function counted(counts: Counts, { pathname }: URL): void {
  counts.total += 1;
  const chart = /^\/v8\/finance\/chart\/([^/]+)$/.exec(pathname)?.[1];
  if (chart !== undefined) {
    const symbol = decodeURIComponent(chart).toUpperCase();
    counts.charts[symbol] = (counts.charts[symbol] ?? 0) + 1;
  } else if (pathname === '/v7/finance/quote') counts.quotes += 1;
  else if (pathname === '/v1/test/getcrumb') counts.crumbs += 1;
  else counts.others += 1;
}

/**
 * What other processes may ask of a stand-in; null is 204.
 *
 *     GET, DELETE /__control/requests      what was asked, in order; forgets it, the counts too
 *     GET /__control/counts                how often what was asked
 *     GET, PUT, DELETE /__control/faults   one fault or a list of them, in place of those in force
 *     PUT, DELETE /__control/recordings    a list of answers for paths, in place of the simulated market
 *     POST /__control/crumb                the crumb is rotated
 *     PUT, DELETE /__control/consent       consent is asked for before cookies are handed out
 */
export async function controlled(
  state: State,
  { command, body }: { command: string; body: string },
): Promise<StandinBody | null> {
  switch (command) {
    case 'GET /__control/requests':
      return { status: 200, body: state.log };
    case 'GET /__control/counts':
      return { status: 200, body: state.counts };
    case 'GET /__control/faults':
      return { status: 200, body: state.faults.list() };
    case 'PUT /__control/faults':
      state.faults.set(readFaults(JSON.parse(body)));
      return null;
    case 'DELETE /__control/faults':
      state.faults.set([]);
      return null;
    case 'DELETE /__control/requests':
      state.log.length = 0;
      state.counts = noCounts();
      return null;
    case 'PUT /__control/recordings':
      state.recordings = readRecordings(JSON.parse(body));
      return null;
    case 'DELETE /__control/recordings':
      state.recordings = [];
      return null;
    case 'POST /__control/crumb':
      state.crumbs += 1;
      return null;
    case 'PUT /__control/consent':
    case 'DELETE /__control/consent':
      state.consent = command.startsWith('PUT');
      return null;
    default:
      return { status: 404, body: { error: `expected a control command, got: ${command}` } };
  }
}

function readRecordings(json: unknown): Recording[] {
  const isRecording = (one: Partial<Recording> | null): one is Recording =>
    typeof one?.path === 'string' && one.path.startsWith('/') && typeof one.status === 'number';
  const wrong = Array.isArray(json) ? json.find((one) => !isRecording(one)) : json;
  if (wrong === undefined) return json as Recording[];
  throw new Error(
    `expected a list of { path, status, bodyJson? or bodyText? }, got: ${JSON.stringify(wrong)}`,
  );
}
