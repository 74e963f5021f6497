import { expect, test } from 'vitest';
import type { Verdict } from '../../src/market/provider.ts';
import type { SymbolState } from '../../src/universe/symbol-state.ts';
import { type OnboardPorts, onboardSymbol } from '../../src/upload/onboard-symbol.ts';
import { TestClock } from '../support/clock.ts';

const job_id = '0199a000-0000-7000-8000-000000000002';
const state: SymbolState = {
  symbol: 'AAPL',
  isActive: true,
  isReady: true,
  lastPriceDate: '2026-07-30',
  currency: 'USD',
  historyFrom: '2024-01-02',
  unfinishedJobId: null,
};
const reserved = { isActive: false, isReady: false, lastPriceDate: null };

/** Somebody asks for AAPL, of which the service has this. */
async function onboard(known: Partial<SymbolState> | null, verdict: Verdict['verdict'] = 'valid') {
  const asked: string[] = [];
  let isLocked = false;
  const ports = {
    clock: new TestClock('2026-07-30T22:00:00Z'),
    priceMaxAgeDays: 3,
    unverifiable: 'reject',
    retryAfterSeconds: async () => 42,
    database: {
      transaction(work: (on: object) => unknown) {
        isLocked = true;
        return work({});
      },
    },
    universe: {
      states: async () => (known ? [{ ...state, ...known }] : []),
      reserve: async () => {},
    },
    admit: async () => ({ kind: 'admitted', jobs: [{ symbol: 'AAPL', jobId: job_id }] }),
    verify: async (symbols: string[]) => {
      asked.push(...symbols);
      return symbols.map((symbol) => ({ symbol, verdict, reason: 'so', instrument: null }));
    },
  } as unknown as OnboardPorts;
  const answer = await onboardSymbol(ports, { raw: 'aapl', requestedBy: 'ann' });
  return { answer, asked, isLocked };
}

const admitted = { kind: 'admitted', symbol: 'AAPL', job_id };

test.each([
  ['is new: the provider is asked', null, ['AAPL'], admitted],
  ['was reserved by an upload that failed: the provider is asked', reserved, ['AAPL'], admitted],
  [
    'is being onboarded: its job is joined, and nobody asked',
    { ...reserved, unfinishedJobId: job_id },
    [],
    admitted,
  ],
  ['is active and old: it exists, and is refreshed', { lastPriceDate: '2026-07-01' }, [], admitted],
  ['is ready: nothing is done', {}, [], { kind: 'ready', symbol: 'AAPL' }],
] as const)('a symbol that is asked for by name and %s', async (_, known, asked, answer) => {
  // Whoever asks for what is ready holds up nobody.
  expect(await onboard(known)).toEqual({ answer, asked, isLocked: answer.kind === 'admitted' });
});

test('a symbol that does not exist gets no job', async () => {
  expect((await onboard(null, 'invalid')).answer.kind).toBe('invalid_symbols');
  expect((await onboard(null, 'unverifiable')).answer.kind).toBe('unverifiable');
});
