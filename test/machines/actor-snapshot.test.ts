import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actorSnapshotOf } from '../../machines/job.ts';
import { contextOf, type JobContext } from '../../machines/progress.ts';
import { phases } from '../../machines/protocol.ts';
import { claimOf, limits, progressFrom, random } from './harness.ts';

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
  maxLength: 3000,
});
const anyContext: fc.Arbitrary<JobContext> = fc
  .record({
    symbol: anyText,
    jobId: anyText,
    phase: fc.constantFrom(...phases),
    attempt: fc.integer(),
    retryAt: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    waitedMs: fc.integer(),
    degraded: fc.option(anyText),
    results: fc.dictionary(anyText, fc.oneof(anyText, fc.double(), fc.boolean(), fc.constant(null)), {
      maxKeys: 60,
    }),
    error: fc.option(fc.record({ code: anyText, message: anyText, phase: fc.constantFrom(...phases, null) })),
  })
  .map(({ symbol, jobId, ...context }) => ({
    ...contextOf({ claim: { ...claimOf(symbol), jobId }, progress: progressFrom(), limits }),
    ...context,
  }));
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;
const snapshotWith = (context: JobContext) => ({
  value: { processing: { factors: 'backingOff' } },
  status: 'active',
  context,
});

describe('actorSnapshotOf', () => {
  test('shows where the job stands, without the limits', () => {
    const context = contextOf({
      claim: claimOf('AAPL'),
      progress: progressFrom({ results: { bars: 251 } }),
      limits,
    });
    expect(actorSnapshotOf(snapshotWith(context))).toEqual({
      value: { processing: { factors: 'backingOff' } },
      status: 'active',
      context: {
        jobId: 'job-AAPL',
        symbol: 'AAPL',
        reason: 'upload',
        epoch: 1,
        phase: 'fetch',
        attempt: 1,
        retryAt: null,
        waitedMs: 0,
        partial: false,
        degraded: null,
        results: { bars: 251 },
        resumes: 0,
        error: null,
        permit: false,
      },
    });
  });

  test('counts the results that do not fit', () => {
    const results = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key${i}`, 'x'.repeat(50)]));
    const { context } = actorSnapshotOf(snapshotWith({ ...contextOf(undefined), results }));
    const kept = Object.keys(context.results as object).length;
    expect(kept).toBeGreaterThan(10);
    expect(context.resultsOmitted).toBe(500 - kept);
  });

  test.each(['€', '"', '📈', '\ud800'])('stays within 2 kB when every text is %j over and over', (unit) => {
    const text = unit.repeat(3000);
    const error = { code: text, message: text, phase: 'snapshot' } as const;
    const claim = { ...claimOf(text), jobId: text, epoch: Number.MAX_SAFE_INTEGER };
    const results = { [text]: text };
    const context = {
      ...contextOf(undefined),
      claim,
      error,
      degraded: text,
      results,
      waitedMs: -1 / 3,
      retryAt: -1 / 3,
    };
    expect(bytesOf(actorSnapshotOf(snapshotWith(context)))).toBeLessThanOrEqual(2048);
  });

  test('stays within 2 kB at every length of the results', () => {
    for (let length = 1; length <= 240; length++) {
      const results = Object.fromEntries(
        Array.from({ length: 99 }, (_, i) => [`key${i}`, 'x'.repeat(length)]),
      );
      const shown = actorSnapshotOf(snapshotWith({ ...contextOf(undefined), results }));
      expect(bytesOf(shown), `${length}`).toBeLessThanOrEqual(2048);
      // and leaves out no more than it must
      if (shown.context.resultsOmitted) expect(bytesOf(shown), `${length}`).toBeGreaterThan(1650);
    }
  });

  test('is JSON of at most 2 kB that PostgreSQL accepts, whatever a phase or a provider left in the context', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const shown = actorSnapshotOf(snapshotWith(context));
        const json = JSON.stringify(shown);
        expect(bytesOf(shown)).toBeLessThanOrEqual(2048);
        expect(json).not.toMatch(/\\u(0000|d[89a-f])/);
        expect(JSON.stringify(JSON.parse(json))).toBe(json);
      }),
      random(300, 20_000),
    );
  });
});
