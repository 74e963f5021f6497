import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/market/provider.ts';
import type { SymbolState } from '../../src/universe/symbol-state.ts';
import { type AssessmentPorts, assessUpload } from '../../src/upload/assess-upload.ts';
import { TestClock } from '../support/clock.ts';
import { csvOf } from '../support/service.ts';

const jobId = '0199a000-0000-7000-8000-000000000002';
const ready: Omit<SymbolState, 'symbol'> = {
  isActive: true,
  isReady: true,
  lastPriceDate: '2026-07-30',
  currency: 'USD',
  historyFrom: '2024-01-02',
  unfinishedJobId: null,
};
const reserved = { ...ready, isActive: false, isReady: false, lastPriceDate: null };

/** An upload of symbols; `asked` are those that the provider was asked for. */
async function assess(
  states: Record<string, Partial<SymbolState>>,
  symbols: string[],
  {
    depthMax = 50,
    verdict = 'valid' as Verdict['verdict'],
    unverifiable = 'reject' as 'reject' | 'defer',
  } = {},
) {
  const asked: string[][] = [];
  const ports: AssessmentPorts = {
    clock: new TestClock('2026-07-30T22:00:00Z'),
    priceMaxAgeDays: 3,
    depthMax,
    unverifiable,
    universe: {
      states: async (named) =>
        named.flatMap((symbol) => (states[symbol] ? [{ symbol, ...ready, ...states[symbol] }] : [])),
    },
    verify: async (named) => {
      asked.push([...named]);
      return named.map((symbol) => ({ symbol, verdict, reason: 'so', instrument: null }) as Verdict);
    },
  };
  const source = { kind: 'csv', bytes: Buffer.from(csvOf(...symbols)) } as const;
  const about = { name: 'n', owner: 'ann', baseCurrency: 'USD', allowDuplicates: false };
  return { answer: await assessUpload(ports, { ...about, source }), asked: asked.flat() };
}

describe('an upload asks the provider', () => {
  test('for what nobody has needed before', async () => {
    const { answer, asked } = await assess({ NEW: reserved }, ['NEW', 'NEWER']);
    expect(asked).toEqual(['NEW', 'NEWER']);
    expect(answer.kind).toBe('approved');
  });

  test('for nothing that is being onboarded: it was verified by whoever needed it first', async () => {
    const joined = { ...reserved, unfinishedJobId: jobId };
    expect((await assess({ JOINED: joined }, ['JOINED', 'NEW'])).asked).toEqual(['NEW']);
    expect((await assess({ JOINED: joined }, ['JOINED'])).asked).toEqual([]);
  });

  test('for nothing that is active: it exists, be it ever so old', async () => {
    const states = {
      FRESH: {},
      OLD: { lastPriceDate: '2026-07-01' },
      DIED: { isReady: false },
    };
    const { answer, asked } = await assess(states, Object.keys(states), { verdict: 'invalid' });
    expect([asked, answer.kind]).toEqual([[], 'approved']);
  });
});

describe('an upload', () => {
  test('may need as many new symbols as the queue holds, and not one more', async () => {
    expect((await assess({}, ['A', 'B'], { depthMax: 2 })).answer.kind).toBe('approved');
    const { answer, asked } = await assess({}, ['A', 'B', 'C'], { depthMax: 2 });
    expect([answer, asked]).toEqual([{ kind: 'too_many_symbols', needed: 3, limit: 2 }, []]);
  });

  test('may need more of what is only refreshed, or under way already', async () => {
    const states = {
      ...{ OLD: { lastPriceDate: '2026-07-01' }, JOINED: { ...reserved, unfinishedJobId: jobId } },
    };
    const { answer } = await assess(states, ['A', 'B', 'OLD', 'JOINED'], { depthMax: 2 });
    expect(answer.kind).toBe('approved');
  });

  test('is refused for what does not exist, and for what nobody can tell unless that is deferred', async () => {
    expect((await assess({}, ['A'], { verdict: 'invalid' })).answer.kind).toBe('invalid_symbols');
    expect((await assess({}, ['A'], { verdict: 'unverifiable' })).answer).toMatchObject({
      kind: 'unverifiable',
      retry_after_seconds: 30,
    });
    const { answer } = await assess({}, ['A'], { verdict: 'unverifiable', unverifiable: 'defer' });
    expect(answer).toMatchObject({ kind: 'approved', warnings: [{ code: 'WARN_SYM_001', value: 'A' }] });
  });
});
