import { expect, test, vi } from 'vitest';
import type { DiagnosisView, HealthCheck } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { sampleOf } from '../support/prometheus.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

/** A database that refuses what matches as PostgreSQL refuses a number that is too large. */
function refusing(database: Database) {
  const refused = { text: null as RegExp | null };
  const sql: Database['sql'] = async (text, ...rest) => {
    if (refused.text?.test(text)) throw Object.assign(new Error('integer out of range'), { code: '22003' });
    return database.sql(text, ...rest);
  };
  return { refused, database: { ...database, sql } };
}

const soon = { timeout: 10_000 }; // the node looks each second

const failedChecks = async ({ get }: TestService) => {
  const { status, body } = await get<{ checks: HealthCheck[] }>('/health/ready');
  return { status, failed: body.checks.filter((check) => check.status === 'failed') };
};

const figures = async ({ url }: TestService) => (await fetch(`${url}/metrics`)).text();

describeOnDatabase('postgres', 'a node that fails to', (makeDatabase) => {
  test.each([
    ['claims', 'take jobs from the queue', /'claimed'/],
    ['requests', 'read the requests of operators', /'jobId', id, 'symbol', symbol, 'epoch'/],
  ])(
    '%s: is not ready, and says so in metrics and diagnosis, until it succeeds',
    async (loop, what, text) => {
      const { refused, database } = refusing(await makeDatabase());
      let aheadMs = 0;
      const clock: Clock = {
        now: () => systemClock.now() + aheadMs,
        sleepUntil: (until, signal) => systemClock.sleepUntil(until - aheadMs, signal),
      };
      const service = await startService(database, { clock });
      const failing = async () =>
        sampleOf(await figures(service), 'onboarding_loop_failing_seconds', { loop });
      const failures = async () =>
        sampleOf(await figures(service), 'onboarding_loop_failures_total', { loop });
      expect([await failures(), await failing()]).toEqual([0, 0]);

      refused.text = text;
      const { body } = await service.upload<Uploaded>(csvOf('STUCK'));
      await vi.waitFor(async () => expect(await failures()).toBeGreaterThan(0), soon);
      // One failure is no reason yet.
      expect(await failedChecks(service)).toEqual({ status: 200, failed: [] });
      aheadMs = 60_000;
      const message = expect.stringMatching(
        `^This node has failed to ${what} for 6\\d s: integer out of range\\.$`,
      );
      await vi.waitFor(async () => {
        expect(await failedChecks(service)).toMatchObject({ status: 503, failed: [{ name: loop, message }] });
      }, soon);
      expect(await failing()).toBeGreaterThanOrEqual(60);
      const { findings } = (await service.get<DiagnosisView>('/onboarding/diagnosis')).body;
      expect(findings.find(({ name }) => name === 'loops')).toMatchObject({
        verdict: 'failed',
        evidence: expect.stringMatching(
          `^${loop}: this node has failed to ${what} for .*: integer out of range\\.$`,
        ),
        cure: expect.stringMatching(/report the error in the log of this node/),
      });

      refused.text = null;
      await vi.waitFor(async () => expect(await failing()).toBe(0), soon);
      expect(await failedChecks(service)).toEqual({ status: 200, failed: [] });
      expect(await service.settled(body.portfolio_id)).toMatchObject({ status: 'ready' });
    },
  );
});
