import type { HealthCheck } from '../contract/schemas.ts';
import type { Clock } from '../kernel/clock.ts';

/** Returns null, or a sentence that says what is wrong. A check that throws has failed too. */
export type Check = () => Promise<string | null> | string | null;

const deadlineMs = 2000; // an orchestrator gives a probe a few seconds and repeats it soon
const askAgainMs = 10_000; // a half-open connection may never answer

/**
 * Runs named checks in parallel, each with its own timeout, so that a hanging check delays the answer by no more.
 *
 * Concurrent probes share one run of a check (request coalescing). A hanging database does not get one query per probe:
 * the next query is sent once it has answered, or after ten seconds.
 */
export function healthChecks(
  checks: Readonly<Record<string, Check>>,
  clock: Clock,
): () => Promise<HealthCheck[]> {
  const running = new Map<string, { since: number; finding: Promise<string | null> }>();
  const find = (name: string, check: Check): Promise<string | null> => {
    const shared = running.get(name);
    if (shared && clock.now() - shared.since < askAgainMs) return shared.finding;
    const run = {
      since: clock.now(),
      finding: (async () => check())()
        .catch(() => 'It does not answer.')
        .finally(() => {
          if (running.get(name) === run) running.delete(name);
        }),
    };
    running.set(name, run);
    return run.finding;
  };
  return () =>
    Promise.all(
      Object.entries(checks).map(async ([name, check]): Promise<HealthCheck> => {
        const start = clock.now();
        const timer = new AbortController();
        const late = clock.sleepUntil(start + deadlineMs, timer.signal).then(
          () => `No answer within ${deadlineMs / 1000} s.`,
          () => null,
        );
        const message = await Promise.race([find(name, check), late]);
        timer.abort();
        return {
          name,
          status: message === null ? 'ok' : 'failed',
          message,
          duration_ms: clock.now() - start,
        };
      }),
    );
}
