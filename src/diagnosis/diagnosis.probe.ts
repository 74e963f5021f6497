import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { DiagnosisView, Finding } from '../contract/schemas.ts';
import type { Database } from '../database/database.orm.ts';
import { readHolder } from '../database/pglite/directory.lock.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { failuresOf, type LoopHealths } from '../kernel/loop-health.ts';
import type { GateView } from '../market/circuit-breaker.ts';
import { canary, type MarketDataProvider } from '../market/provider.ts';
import { proxies } from '../market/proxy-set.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import { migrations } from '../migrations/index.ts';
import { diagnosisQueries } from './facts.query.ts';
import {
  type Judgement,
  judgeClock,
  judgeDatabase,
  judgeGate,
  judgeHolder,
  judgeLockWaits,
  judgeLoops,
  judgeLots,
  judgeProvider,
  judgeProxies,
  judgeQueue,
  judgeReconciler,
  judgeThrottled,
  judgeUnanswered,
  worst,
} from './judgements.ts';

export interface DiagnosisParts {
  config: Pick<Config, 'database'>;
  /** Null if it could not be opened; the caller then explains why in its own findings. */
  database: Database | null;
  /** The providers, in the order in which they are tried. */
  sources: readonly MarketDataProvider[];
  /** The limiter and breaker in front of them. Null if another process sends the requests or there are none. */
  gate: { view(): GateView } | null;
  /** The loops of this node; null if this process is not a node. */
  loops: LoopHealths | null;
  clock: Clock;
  nodeName: string;
  /** The timeout of each check. Checks do not wait for each other. */
  deadlineMs?: number;
}

const deadlineMsDefault = 8000; // shorter than the timeout of clients, longer than a slow provider needs

/**
 * Finds out what is wrong. The service uses it, and so does the command line when no service runs. Changes nothing. All
 * checks run in parallel, each with its own timeout. Never throws: a check that throws or times out is `failed`.
 */
export async function diagnose(parts: DiagnosisParts, more: readonly Finding[] = []): Promise<DiagnosisView> {
  const findings = await Promise.all(
    Object.entries(checksOf(parts)).map(([name, check]) => finding(parts, name, check)),
  );
  const all = [...more, ...findings];
  const { nodeName, clock } = parts;
  return {
    verdict: worst(all),
    node: nodeName,
    checked_at: new Date(clock.now()).toISOString(),
    findings: all,
  };
}

type Check = (signal: AbortSignal) => Promise<Judgement>;

function checksOf(parts: DiagnosisParts): Record<string, Check> {
  const { database, clock, config, gate, loops } = parts;
  const providers = Object.fromEntries(
    parts.sources.map((source): [string, Check] => [
      parts.sources.length === 1 ? 'provider' : `provider ${source.name}`,
      (signal) => checkProvider(source, signal),
    ]),
  );
  if (database === null) return providers;
  const facts = diagnosisQueries(database);
  const { kind } = config.database;
  return {
    async database() {
      const { version, applied } = await facts.schema();
      const began = performance.now();
      await facts.ping();
      const answerMs = performance.now() - began;
      const expected = migrations.map(({ name }) => name);
      return judgeDatabase({ version, embedded: kind === 'pglite', answerMs, applied, expected });
    },
    async lock() {
      if (config.database.kind === 'postgresql') return judgeLockWaits(await facts.lockWaits());
      const directory = clusterOf(config.database.dataDir);
      const self = { pid: process.pid, host: hostname() };
      return judgeHolder({ directory, holder: readHolder(directory), self });
    },
    async clock() {
      const before = clock.now();
      const now = await facts.now();
      const uncertainMs = (clock.now() - before) / 2;
      const aheadMs = now - before - uncertainMs;
      return judgeClock({ whose: "The database's clock", aheadMs, uncertainMs });
    },
    ...providers,
    ...(gate && { gate: async () => judgeGate(gate.view()) }),
    ...(loops && { loops: async () => judgeLoops(failuresOf(loops)) }),
    async proxies() {
      const session = lastNewYorkSession(clock.now());
      return judgeProxies({ session, wanted: proxies, ...(await facts.proxies(session)) });
    },
    queue: async () => judgeQueue(await facts.queue()),
    lots: async () => judgeLots(await facts.unpricedLots()),
    reconciler: async () => judgeReconciler(await facts.reconciler(), clock.now()),
  };
}

/** The directory of the embedded database. */
export const clusterOf = (dataDir: string): string => join(resolve(dataDir), 'pglite');

async function checkProvider(provider: MarketDataProvider, signal: AbortSignal): Promise<Judgement> {
  const began = performance.now();
  const tookMs = () => performance.now() - began;
  try {
    const [verdict] = await provider.lookup([canary], { signal });
    if (verdict?.verdict === 'unverifiable' && verdict.retryAt !== undefined) {
      return judgeThrottled({ provider: provider.name, until: new Date(verdict.retryAt).toISOString() });
    }
    return judgeProvider({ provider: provider.name, verdict, tookMs: tookMs() });
  } catch (error) {
    if (error instanceof AppError && error.retryAt !== undefined) {
      return judgeThrottled({ provider: provider.name, until: new Date(error.retryAt).toISOString() });
    }
    const reason = error instanceof Error ? error.message : String(error);
    const verdict = { symbol: canary, verdict: 'unverifiable' as const, reason };
    return judgeProvider({ provider: provider.name, verdict, tookMs: tookMs() });
  }
}

async function finding(
  { deadlineMs = deadlineMsDefault }: DiagnosisParts,
  name: string,
  check: Check,
): Promise<Finding> {
  const began = performance.now();
  const ended = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: ended.signal }).then(() =>
    judgeUnanswered(`no answer within ${deadlineMs / 1000} s.`),
  );
  late.catch(() => {}); // aborted once the check has answered
  try {
    const judgement = await Promise.race([
      check(ended.signal).catch((error: unknown) => judgeUnanswered(reasonOf(error))),
      late,
    ]);
    return { name, ...judgement, duration_ms: Math.round(performance.now() - began) };
  } finally {
    ended.abort();
  }
}

/** The first line of the message, with the message of the cause if there is one: only operators see it. */
function reasonOf(error: unknown): string {
  const cause = error instanceof AppError && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error instanceof Error ? error.message : String(error)}${cause}`.split('\n')[0]!;
}
