import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/market/provider.ts';
import { rememberVerdicts } from '../../src/market/remembered-verdicts.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { TestClock } from '../support/clock.ts';

const minuteMs = 60_000;

function remembering(faulty: readonly string[] = []) {
  const clock = new TestClock();
  const market = simulatedProvider({ clock });
  const asked: string[][] = [];
  let slowMs = 0;
  const broken = new Set(faulty);
  const lookup = async (symbols: readonly string[]) => {
    asked.push([...symbols]);
    await clock.advance(slowMs);
    const verdicts = await market.lookup(symbols.filter((symbol) => !broken.has(symbol)));
    const outage = (symbol: string): Verdict => ({ symbol, verdict: 'unverifiable', reason: 'no answer' });
    return [...verdicts, ...symbols.filter((symbol) => broken.has(symbol)).map(outage)];
  };
  const verify = rememberVerdicts({ lookup }, clock);
  const kinds = async (...symbols: string[]) => (await verify(symbols)).map(({ verdict }) => verdict);
  return { clock, asked, broken, kinds, verify, slow: (ms: number) => (slowMs = ms) };
}

describe('verdicts', () => {
  test('are asked for together and answered in the order asked', async () => {
    const { asked, verify } = remembering();
    const verdicts = await verify(['MSFT', 'NOPE1', 'AAPL']);
    expect(verdicts.map(({ symbol, verdict }) => [symbol, verdict])).toEqual([
      ['MSFT', 'valid'],
      ['NOPE1', 'invalid'],
      ['AAPL', 'valid'],
    ]);
    expect(asked).toEqual([['MSFT', 'NOPE1', 'AAPL']]);
    expect(await verify([])).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  test('are remembered, valid ones for an hour and invalid ones for ten minutes', async () => {
    const { asked, clock, kinds } = remembering();
    await kinds('AAPL', 'NOPE1');
    await clock.advance(10 * minuteMs - 1);
    expect(await kinds('AAPL', 'NOPE1')).toEqual(['valid', 'invalid']);
    expect(asked).toHaveLength(1);
    await clock.advance(2);
    expect(await kinds('AAPL', 'NOPE1')).toEqual(['valid', 'invalid']);
    expect(asked.slice(1)).toEqual([['NOPE1']]);
    await clock.advance(50 * minuteMs);
    await kinds('AAPL');
    expect(asked.slice(2)).toEqual([['AAPL']]);
  });

  test('are not remembered where there was none: an outage is asked about again at once', async () => {
    const { asked, broken, kinds } = remembering(['AAPL']);
    expect(await kinds('AAPL', 'MSFT')).toEqual(['unverifiable', 'valid']);
    expect(await kinds('AAPL', 'MSFT')).toEqual(['unverifiable', 'valid']);
    broken.clear();
    expect(await kinds('AAPL', 'MSFT')).toEqual(['valid', 'valid']);
    expect(asked).toEqual([['AAPL', 'MSFT'], ['AAPL'], ['AAPL']]);
  });

  test('hold until the question is answered, should they expire while the provider thinks', async () => {
    const { clock, kinds, slow } = remembering();
    await kinds('AAPL');
    await clock.advance(60 * minuteMs - 5);
    slow(100);
    expect(await kinds('AAPL', 'MSFT')).toEqual(['valid', 'valid']);
  });

  test('are shared by whoever asks while the question is under way, and an outage is shared by them only', async () => {
    const { asked, broken, kinds, slow } = remembering(['LOST']);
    slow(10);
    const both = await Promise.all([kinds('AAPL', 'LOST'), kinds('LOST', 'MSFT', 'AAPL')]);
    expect(both).toEqual([
      ['valid', 'unverifiable'],
      ['unverifiable', 'valid', 'valid'],
    ]);
    expect(asked).toEqual([['AAPL', 'LOST'], ['MSFT']]);
    broken.clear();
    expect(await kinds('LOST')).toEqual(['valid']);
  });

  test('are unverifiable where the provider forgets to answer', async () => {
    const clock = new TestClock();
    const verify = rememberVerdicts({ lookup: async () => [] }, clock);
    expect(await verify(['AAPL'])).toEqual([
      { symbol: 'AAPL', verdict: 'unverifiable', reason: 'the provider did not answer for this symbol' },
    ]);
  });
});
