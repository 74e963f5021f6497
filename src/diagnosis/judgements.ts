import type { Finding } from '../contract/schemas.ts';
import { type LoopFailures, type LoopName, loops } from '../kernel/loop-health.ts';
import type { GateView } from '../market/circuit-breaker.ts';
import { canary, type Verdict } from '../market/provider.ts';

/** What a check makes of what it saw. */
export type Judgement = Pick<Finding, 'verdict' | 'evidence' | 'cure'>;

const ok = (evidence: string): Judgement => ({ verdict: 'ok', evidence, cure: null });
const warning = (evidence: string, cure: string): Judgement => ({ verdict: 'warning', evidence, cure });
const failed = (evidence: string, cure: string): Judgement => ({ verdict: 'failed', evidence, cure });

/** The worst of several; `ok` of none. */
export function worst(findings: readonly Pick<Finding, 'verdict'>[]): Finding['verdict'] {
  const is = (verdict: Finding['verdict']) => findings.some((one) => one.verdict === verdict);
  return is('failed') ? 'failed' : is('warning') ? 'warning' : 'ok';
}

const slowDatabaseMs = 100; // a job makes dozens of statements: at 100 ms each it takes seconds longer

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
    const evidence = `${name} has been migrated by a newer version of this service: ${some(foreign)}.`;
    return failed(evidence, 'Run that version, or restore the database as it was before it.');
  }
  if (missing.length > 0) {
    const evidence = `${name} lacks ${missing.length} of ${expected.length} migrations: ${some(missing)}.`;
    return failed(evidence, 'Start the service: it migrates before it takes requests.');
  }
  const evidence = `${name} answers in ${Math.round(answerMs)} ms; all ${expected.length} migrations are applied.`;
  return answerMs <= slowDatabaseMs
    ? ok(evidence)
    : warning(evidence, `Expected at most ${slowDatabaseMs} ms: look at its load and at the way to it.`);
}

/** Who holds the embedded database's directory, as its holder file says. */
export interface HolderSeen {
  directory: string;
  holder: { pid: number; host: string; since: string } | null;
  /** Whether this process should be it. */
  self: { pid: number; host: string };
}

export function judgeHolder({ directory, holder, self }: HolderSeen): Judgement {
  if (holder === null) {
    return failed(
      `Nobody is named as the holder of ${directory}: it was moved or removed while this process works in it.`,
      'Stop the service, put the directory back, start it again.',
    );
  }
  const who = `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  if (holder.pid === self.pid && holder.host === self.host)
    return ok(`This process holds ${directory}: ${who}.`);
  return failed(
    `${directory} is held by ${who}, and this process works in it too.`,
    'Stop both at once: two processes in one directory undo each other. Then start one.',
  );
}

const longWaitMs = 2000; // sessions give up a lock after 5 s

export function judgeLockWaits({ waiting, longestMs }: { waiting: number; longestMs: number }): Judgement {
  if (longestMs <= longWaitMs) return ok(`Sessions that wait for a lock: ${waiting}, none for long.`);
  return warning(
    `${waiting} sessions wait for a lock, the longest for ${inSeconds(longestMs)}.`,
    'pg_blocking_pids() names who holds it; a session of another program may have to be ended.',
  );
}

const skewMaxMs = 2000;

/** `uncertainMs`: how much of the difference may be the time that the answer took. */
export function judgeClock(seen: { whose: string; aheadMs: number; uncertainMs: number }): Judgement {
  const { whose, aheadMs, uncertainMs } = seen;
  const evidence = `${whose} is ${inSeconds(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead'}.`;
  if (Math.abs(aheadMs) - uncertainMs <= skewMaxMs) return ok(evidence);
  return warning(
    evidence,
    `Expected at most ${inSeconds(skewMaxMs)}: let both machines follow a time server.`,
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
    const evidence = `${provider} knows ${canary} and said so ${took}.`;
    return tookMs <= slowProviderMs
      ? ok(evidence)
      : warning(evidence, 'Onboarding is as slow as that. Look at the network and at PROVIDER_CONCURRENCY.');
  }
  if (verdict?.verdict === 'unverifiable') {
    return failed(
      `${provider} gave no verdict on ${canary} ${took}: ${verdict.reason}`,
      'Uploads with new symbols are answered 503 until it does. Look at the network and at YAHOO_BASE_URL.',
    );
  }
  const reason = verdict?.reason ?? 'no answer';
  if (provider === 'files') {
    return warning(
      `files can be read and has no prices of ${canary}.`,
      'Factor exposures need the eight proxies from some provider: add them, as docs/market-data.md says.',
    );
  }
  return failed(
    `${provider} does not know ${canary}: ${reason}`,
    'What answers is not that provider: look at MARKET_DATA, YAHOO_BASE_URL and any proxy in between.',
  );
}

/** The limiter and the breaker between a node and its provider. */
export function judgeGate({ breaker, limiter }: GateView): Judgement {
  const { running, waiting, concurrency, intervalMs } = limiter;
  const pace = intervalMs > 0 ? `, one each ${intervalMs} ms` : '';
  const requests = `${running} of ${concurrency} requests run${pace}, ${waiting} wait.`;
  if (breaker.state === 'closed') {
    const evidence = `The breaker is closed; ${requests}`;
    return waiting < manyWaiting
      ? ok(evidence)
      : warning(evidence, 'They are sent in turn. If the provider allows more, raise PROVIDER_CONCURRENCY.');
  }
  const failures = `after ${breaker.failures} ${breaker.failures === 1 ? 'failure' : 'failures'} in a row`;
  const evidence =
    breaker.until === null
      ? `The breaker is half open ${failures}: the next request finds out whether the provider is back.`
      : `The breaker is open ${failures}: nothing is sent until ${new Date(breaker.until).toISOString()}.`;
  return warning(
    evidence,
    'Jobs wait by themselves and use up no attempt; see `provider` for what is wrong.',
  );
}

export function judgeThrottled({ provider, until }: { provider: string; until: string }): Judgement {
  return warning(
    `${provider} asks to wait until ${until}.`,
    'Jobs wait by themselves. If it comes back: lower PROVIDER_CONCURRENCY, raise PROVIDER_INTERVAL_MS.',
  );
}

export function judgeProxies(seen: {
  /** The last completed New York session. */
  session: string;
  latest: string | null;
  /** Of the session's set: how many bars each proxy has. Null where there is no set. */
  bars: Readonly<Record<string, number>> | null;
  wanted: readonly string[];
}): Judgement {
  const { session, latest, bars, wanted } = seen;
  if (bars === null) {
    return warning(
      `The proxies of the session ${session} are not stored; the latest are ${latest ? `of ${latest}` : 'none'}.`,
      'Nothing, if no job has run since: the next one fetches them. Else see `provider`.',
    );
  }
  const lacking = wanted.filter((symbol) => (bars[symbol] ?? 0) < 2);
  if (lacking.length > 0) {
    const evidence = `The proxies of the session ${session} lack bars of ${lacking.join(', ')}.`;
    return failed(
      evidence,
      `delete from proxy_sets where version = '${session}': the next job fetches it anew.`,
    );
  }
  const least = Math.min(...wanted.map((symbol) => bars[symbol]!));
  return ok(`All ${wanted.length} proxies are stored as version ${session}, with ${least} bars or more.`);
}

export interface QueueSeen {
  unfinished: number;
  entries: number;
  /** Symbols of unfinished jobs that no queue entry leads to. */
  lost: readonly string[];
  /** How many live entries lead to no unfinished job. */
  idle: number;
  /** Nodes that hold jobs and have not been heard of for three heartbeats. */
  silent: readonly string[];
  paused: boolean;
}

export function judgeQueue({ unfinished, entries, lost, idle, silent, paused }: QueueSeen): Judgement {
  const evidence = `${unfinished} unfinished jobs, ${entries} queue entries${paused ? '; onboarding is paused' : ''}.`;
  if (lost.length > 0) {
    return failed(
      `${evidence} No entry leads to the job of ${some(lost)}: nobody will ever take it.`,
      `A running node mends it within a minute; where it does not, \`symbol-onboarding cancel ${lost[0]}\`, then POST /symbols/${lost[0]}/onboarding; so for each.`,
    );
  }
  if (silent.length > 0) {
    return warning(
      `${evidence} Jobs are held by nodes that have fallen silent: ${some(silent)}.`,
      'A running node takes them over within seconds. Start one if none runs.',
    );
  }
  if (idle > 0) {
    return warning(
      `${evidence} ${idle} entries lead to no unfinished job.`,
      'A running node clears them away within a minute.',
    );
  }
  return paused ? warning(evidence, '`symbol-onboarding resume` lets jobs begin again.') : ok(evidence);
}

/** What a node does again and again: a loop that fails each time stands still, while everything else looks well. */
export function judgeLoops(failures: LoopFailures): Judgement {
  const failing = Object.entries(failures);
  if (failing.length === 0) return ok(`Every loop of this node works: ${Object.keys(loops).join(', ')}.`);
  const told = failing.map(([name, { seconds, rounds, reason }]) => {
    const often = rounds === 1 ? 'once' : `${rounds} times in a row`;
    return `${name}: it has failed to ${loops[name as LoopName]} for ${inSeconds(seconds * 1000)}, ${often}: ${reason}.`;
  });
  return failed(
    told.join(' '),
    'See `database`. Where that is ok, the log of this node has the whole error: report it. Jobs wait meanwhile and lose no attempt.',
  );
}

export function judgeLots(unpriced: readonly { symbol: string; lots: number }[]): Judgement {
  if (unpriced.length === 0)
    return ok('Every open lot of a known symbol is priced, or its job is under way.');
  const named = some(unpriced.map(({ symbol, lots }) => `${symbol} (${lots})`));
  return failed(
    `Lots of known symbols lack their latest price, and no job is under way: ${named}.`,
    `\`symbol-onboarding retry ${unpriced[0]!.symbol}\`; where that is refused, POST /symbols/${unpriced[0]!.symbol}/onboarding.`,
  );
}

export interface ReconcilerSeen {
  /** ISO 8601; null where it has not looked yet. */
  lookedAt: string | null;
  /** When it last mended something, and what, by kind. */
  foundAt: string | null;
  found: Readonly<Record<string, number>>;
}

const recentMs = 24 * 60 * 60 * 1000;

export function judgeReconciler({ lookedAt, foundAt, found }: ReconcilerSeen, now: number): Judgement {
  if (lookedAt === null) return ok('The reconciler has not looked yet: it does when the service starts.');
  const looked = `The reconciler last looked at ${lookedAt}`;
  if (foundAt === null) return ok(`${looked} and has never found anything.`);
  const what = Object.entries(found).map(([kind, count]) => `${kind} ${count}`);
  const evidence = `${looked} and mended at ${foundAt}: ${what.join(', ')}.`;
  if (now - Date.parse(foundAt) > recentMs) return ok(evidence);
  return warning(
    evidence,
    'Nothing is wrong now. Unless a backup was restored, this is a mistake of ours: report it.',
  );
}

/** A check that could not be made. */
export function judgeUnanswered(message: string): Judgement {
  return failed(`Not checked: ${message}`, 'See `database` where it is that; else the log of the service.');
}

const someMax = 10;

const some = (names: readonly string[]): string =>
  names.length > someMax
    ? `${names.slice(0, someMax).join(', ')} and ${names.length - someMax} more`
    : names.join(', ');

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 0)} s`;
