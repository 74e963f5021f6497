import type { Finding } from '../contract/schemas.ts';
import { type LoopFailures, type LoopName, loops } from '../kernel/loop-health.ts';
import type { GateView } from '../market/circuit-breaker.ts';
import { canary, type Verdict } from '../market/provider.ts';

/** The result of a check. */
export type Judgement = Pick<Finding, 'verdict' | 'evidence' | 'cure'>;

const ok = (evidence: string): Judgement => ({ verdict: 'ok', evidence, cure: null });
const warning = (evidence: string, cure: string): Judgement => ({ verdict: 'warning', evidence, cure });
const failed = (evidence: string, cure: string): Judgement => ({ verdict: 'failed', evidence, cure });

/** The worst verdict; `ok` if there is no finding. */
export function worst(findings: readonly Pick<Finding, 'verdict'>[]): Finding['verdict'] {
  const is = (verdict: Finding['verdict']) => findings.some((one) => one.verdict === verdict);
  return is('failed') ? 'failed' : is('warning') ? 'warning' : 'ok';
}

const slowDatabaseMs = 100; // a job runs dozens of statements: at 100 ms each it takes seconds longer

export function judgeDatabase(seen: {
  version: string;
  embedded: boolean;
  answerMs: number;
  applied: readonly string[];
  expected: readonly string[];
}): Judgement {
  const { version, embedded, answerMs, applied, expected } = seen;
  const missing = expected.filter((name) => !applied.includes(name));
  const foreign = applied.filter((name) => !expected.includes(name));
  const name = `${embedded ? 'The embedded PostgreSQL' : 'PostgreSQL'} ${version}`;
  if (foreign.length > 0) {
    const evidence = `A newer version of this service has migrated ${name}: ${some(foreign)}.`;
    return failed(evidence, 'Run that version, or restore a backup from before that migration.');
  }
  if (missing.length > 0) {
    const evidence = `${name} lacks ${missing.length} of ${expected.length} migrations: ${some(missing)}.`;
    return failed(evidence, 'Start the service: it applies migrations before it accepts requests.');
  }
  const evidence = `${name} answers in ${Math.round(answerMs)} ms; all ${expected.length} migrations are applied.`;
  return answerMs <= slowDatabaseMs
    ? ok(evidence)
    : warning(
        evidence,
        `Expected at most ${slowDatabaseMs} ms. Check the load of the database and the network to it.`,
      );
}

/** Which process holds the embedded database's directory, as its holder file says. */
export interface HolderSeen {
  directory: string;
  holder: { pid: number; host: string; since: string } | null;
  /** This process, which should be the holder. */
  self: { pid: number; host: string };
}

export function judgeHolder({ directory, holder, self }: HolderSeen): Judgement {
  if (holder === null) {
    return failed(
      `${directory} has no holder file: the directory was moved or removed while this process uses it.`,
      'Stop the service, put the directory back, and start the service again.',
    );
  }
  const who = `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  if (holder.pid === self.pid && holder.host === self.host)
    return ok(`This process holds ${directory}: ${who}.`);
  return failed(
    `${directory} is held by ${who}, but this process uses it too.`,
    "Stop both processes now: they overwrite each other's changes. Then start one.",
  );
}

const longWaitMs = 2000; // sessions stop waiting for a lock after 5 s

export function judgeLockWaits({ waiting, longestMs }: { waiting: number; longestMs: number }): Judgement {
  if (longestMs <= longWaitMs)
    return ok(`Sessions that wait for a lock: ${waiting}, none longer than ${inSeconds(longWaitMs)}.`);
  return warning(
    `${waiting} sessions wait for a lock, the longest for ${inSeconds(longestMs)}.`,
    'Find the session that holds the lock with pg_blocking_pids(). If it belongs to another program, end it.',
  );
}

const skewMaxMs = 2000;

/** `uncertainMs`: how much of the difference the round trip alone may explain. */
export function judgeClock(seen: { whose: string; aheadMs: number; uncertainMs: number }): Judgement {
  const { whose, aheadMs, uncertainMs } = seen;
  const evidence = `${whose} is ${inSeconds(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead'}.`;
  if (Math.abs(aheadMs) - uncertainMs <= skewMaxMs) return ok(evidence);
  return warning(
    evidence,
    `Expected at most ${inSeconds(skewMaxMs)}. Synchronize the clocks of both machines with NTP.`,
  );
}

const slowProviderMs = 5000;
const manyWaiting = 100;

export function judgeProvider(seen: {
  provider: string;
  verdict: Verdict | undefined;
  tookMs: number;
}): Judgement {
  const { provider, verdict, tookMs } = seen;
  const took = `in ${inSeconds(tookMs)}`;
  if (verdict?.verdict === 'valid') {
    const evidence = `${provider} found ${canary} ${took}.`;
    return tookMs <= slowProviderMs
      ? ok(evidence)
      : warning(evidence, 'This slows onboarding down. Check the network and PROVIDER_CONCURRENCY.');
  }
  if (verdict?.verdict === 'unverifiable') {
    return failed(
      `${provider} could not verify ${canary} (${took}): ${verdict.reason}`,
      'Until it can, uploads with new symbols get 503. Check the network and YAHOO_BASE_URL.',
    );
  }
  const reason = verdict?.reason ?? 'no answer';
  if (provider === 'files') {
    return warning(
      `The price files can be read, but have no prices of ${canary}.`,
      'Factor exposures need all eight proxies. Add them as described in docs/market-data.md.',
    );
  }
  return failed(
    `${provider} does not know ${canary}: ${reason}`,
    'Another server may answer in its place. Check MARKET_DATA, YAHOO_BASE_URL and any HTTP proxy in between.',
  );
}

/** The limiter and the breaker between a node and its provider. */
export function judgeGate({ breaker, limiter }: GateView): Judgement {
  const { running, waiting, concurrency, intervalMs } = limiter;
  const pace = intervalMs > 0 ? `, one every ${intervalMs} ms` : '';
  const requests = `${running} of ${concurrency} requests running${pace}, ${waiting} waiting.`;
  if (breaker.state === 'closed') {
    const evidence = `The breaker is closed; ${requests}`;
    return waiting < manyWaiting
      ? ok(evidence)
      : warning(
          evidence,
          'They are sent in order. If the provider allows more requests, raise PROVIDER_CONCURRENCY.',
        );
  }
  const failures = `after ${breaker.failures} ${breaker.failures === 1 ? 'failure' : 'failures'} in a row`;
  const evidence =
    breaker.until === null
      ? `The breaker is half open ${failures}: the next request shows whether the provider is available again.`
      : `The breaker is open ${failures}: no request is sent until ${new Date(breaker.until).toISOString()}.`;
  return warning(
    evidence,
    'Nothing to do for the jobs: they wait and keep their attempts. For the cause see `provider`.',
  );
}

export function judgeThrottled({ provider, until }: { provider: string; until: string }): Judgement {
  return warning(
    `${provider} asks to wait until ${until}.`,
    'Nothing to do: jobs wait until then. If it happens again, lower PROVIDER_CONCURRENCY or raise PROVIDER_INTERVAL_MS.',
  );
}

export function judgeProxies(seen: {
  /** The last completed New York session. */
  session: string;
  latest: string | null;
  /** The number of bars per proxy in the session's set; null if there is no set. */
  bars: Readonly<Record<string, number>> | null;
  wanted: readonly string[];
}): Judgement {
  const { session, latest, bars, wanted } = seen;
  if (bars === null) {
    return warning(
      `The proxy set of session ${session} is not stored; the latest is ${latest ? `of ${latest}` : 'missing too'}.`,
      'Nothing to do if no job has run since then: the next job fetches it. Otherwise see `provider`.',
    );
  }
  const lacking = wanted.filter((symbol) => (bars[symbol] ?? 0) < 2);
  if (lacking.length > 0) {
    const evidence = `The proxy set of session ${session} has too few bars of ${lacking.join(', ')}.`;
    return failed(
      evidence,
      `Run \`delete from proxy_sets where version = '${session}'\`: the next job fetches the set again.`,
    );
  }
  const least = Math.min(...wanted.map((symbol) => bars[symbol]!));
  return ok(
    `All ${wanted.length} proxies are stored as version ${session}, each with at least ${least} bars.`,
  );
}

export interface QueueSeen {
  unfinished: number;
  entries: number;
  /** Symbols of unfinished jobs that have no queue entry. */
  lost: readonly string[];
  /** The number of live queue entries without an unfinished job. */
  idle: number;
  /** Nodes that hold jobs and have missed three heartbeats. */
  silent: readonly string[];
  paused: boolean;
}

export function judgeQueue({ unfinished, entries, lost, idle, silent, paused }: QueueSeen): Judgement {
  const evidence = `${unfinished} unfinished jobs, ${entries} queue entries${paused ? '; onboarding is paused' : ''}.`;
  if (lost.length > 0) {
    return failed(
      `${evidence} These symbols have a job without a queue entry, so no node can claim it: ${some(lost)}.`,
      `A running node repairs this within a minute. If it does not, run \`symbol-onboarding cancel ${lost[0]}\`, then POST /symbols/${lost[0]}/onboarding, for each symbol.`,
    );
  }
  if (silent.length > 0) {
    return warning(
      `${evidence} Nodes that hold jobs have stopped sending heartbeats: ${some(silent)}.`,
      'A running node takes their jobs over within seconds. If no node runs, start one.',
    );
  }
  if (idle > 0) {
    return warning(
      `${evidence} ${idle} queue entries have no unfinished job.`,
      'A running node removes them within a minute.',
    );
  }
  return paused ? warning(evidence, 'To start jobs again, run `symbol-onboarding resume`.') : ok(evidence);
}

/** The loops of a node. One that fails every round makes no progress, while all other checks may be ok. */
export function judgeLoops(failures: LoopFailures): Judgement {
  const failing = Object.entries(failures);
  if (failing.length === 0) return ok(`Every loop of this node works: ${Object.keys(loops).join(', ')}.`);
  const lines = failing.map(([name, { seconds, rounds, reason }]) => {
    const often = rounds === 1 ? 'once' : `${rounds} times in a row`;
    return `${name}: this node has failed to ${loops[name as LoopName]} for ${inSeconds(seconds * 1000)}, ${often}: ${reason}.`;
  });
  return failed(
    lines.join(' '),
    'See `database`. If that is ok, report the error in the log of this node. Jobs wait meanwhile and keep their attempts.',
  );
}

export function judgeLots(unpriced: readonly { symbol: string; lots: number }[]): Judgement {
  if (unpriced.length === 0) return ok('Every open lot of a known symbol is priced or has a running job.');
  const named = some(unpriced.map(({ symbol, lots }) => `${symbol} (${lots})`));
  return failed(
    `Lots of known symbols lack the latest price and have no running job: ${named}.`,
    `Run \`symbol-onboarding retry ${unpriced[0]!.symbol}\`. If that is refused, POST /symbols/${unpriced[0]!.symbol}/onboarding.`,
  );
}

export interface ReconcilerSeen {
  /** When it last ran, ISO 8601; null if never. */
  lookedAt: string | null;
  /** When it last repaired something, and what, by kind. */
  foundAt: string | null;
  found: Readonly<Record<string, number>>;
}

const recentMs = 24 * 60 * 60 * 1000;

export function judgeReconciler({ lookedAt, foundAt, found }: ReconcilerSeen, now: number): Judgement {
  if (lookedAt === null) return ok('The reconciler has not run yet: it first runs when the service starts.');
  const ran = `The reconciler last ran at ${lookedAt}`;
  if (foundAt === null) return ok(`${ran} and has found no problem so far.`);
  const what = Object.entries(found).map(([kind, count]) => `${kind} ${count}`);
  const evidence = `${ran}. Its last repairs, at ${foundAt}: ${what.join(', ')}.`;
  if (now - Date.parse(foundAt) > recentMs) return ok(evidence);
  return warning(evidence, 'Everything is repaired. If no backup was restored, this is a bug: report it.');
}

/** A check that threw or timed out. */
export function judgeUnanswered(message: string): Judgement {
  return failed(
    `Not checked: ${message}`,
    'If `database` failed too, start there. Otherwise see the log of the service.',
  );
}

const someMax = 10;

const some = (names: readonly string[]): string =>
  names.length > someMax
    ? `${names.slice(0, someMax).join(', ')} and ${names.length - someMax} more`
    : names.join(', ');

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 0)} s`;
