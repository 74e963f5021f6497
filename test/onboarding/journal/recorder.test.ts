import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { permanent, poison, random, settled, stopAll, transient, waitFor } from '../../machines/harness.ts';
import { outage, stale } from '../held-ledger.ts';
import { breaks, recorded, replayed } from '../recorded.ts';

afterEach(stopAll);

describe('the recorder', () => {
  test('writes a job from its claim to its end, with event, phase and results', async () => {
    const { live, take, committed, ends, recorder } = recorded();
    await take('AAPL');
    await live.actors.finish('AAPL', { results: { bars: 251 } });
    for (const _ of ['factors', 'universe', 'snapshot', 'cache']) await live.actors.finish('AAPL');
    expect(committed.map(({ event, from, to }) => [event, from, to])).toEqual([
      ['permit.granted', 'pending', 'processing.fetch.running'],
      ['fetch.done', 'processing.fetch.running', 'processing.factors.running'],
      ['factors.done', 'processing.factors.running', 'processing.universe.running'],
      ['universe.done', 'processing.universe.running', 'processing.snapshot.running'],
      ['snapshot.done', 'processing.snapshot.running', 'processing.cache.running'],
      ['cache.done', 'processing.cache.running', 'completed'],
    ]);
    expect(committed.at(-1)!.job).toMatchObject({
      status: 'completed',
      outcome: 'complete',
      results: { bars: 251 },
    });
    expect(breaks(committed, { sequence: 2, state: 'pending' })).toEqual([]);
    expect(ends).toMatchObject([{ symbol: 'AAPL' }]);
    expect([recorder.held(), live.symbols()]).toEqual([[], []]);
  });

  test('passes the permit on when a job ends; the next job starts in the same commit or a later one', async () => {
    const { live, take, ends, close, open, committed, recorder } = recorded({ concurrency: 1 });
    await take('AAPL');
    await take('MSFT');
    close();
    await live.actors.fail('AAPL', permanent);
    expect([live.name('AAPL'), live.actors.running(), ends]).toEqual(['failed', ['MSFT'], []]);
    const begins = recorder.barrier('job-MSFT').then(() => committed.map(({ to }) => to));
    await open();
    expect(ends).toHaveLength(1);
    expect(await begins).toEqual(['processing.fetch.running', 'failed', 'processing.fetch.running']);
    expect(live.symbols()).toEqual(['MSFT']);
  });

  test('writes the backoff of a job before the start of the job that gets its permit', async () => {
    const { live, take, committed } = recorded({ concurrency: 1 });
    await take('AAPL');
    await take('MSFT');
    await live.actors.fail('AAPL', transient);
    expect(committed.map(({ claim, to }) => [claim.symbol, to])).toEqual([
      ['AAPL', 'processing.fetch.running'],
      ['AAPL', 'processing.fetch.backingOff'],
      ['MSFT', 'processing.fetch.running'],
    ]);
  });

  test('measures the duration of each state', async () => {
    const { live, take, committed, clock } = recorded();
    await take('AAPL');
    await clock.advance(1500);
    await live.actors.finish('AAPL');
    expect(committed.map(({ durationMs }) => durationMs)).toEqual([0, 1500]);
  });

  test('opens the barrier when everything recorded so far is committed, not earlier', async () => {
    const { recorder, take, open } = recorded({ isOpen: false });
    await take('AAPL');
    let passed = false;
    const barrier = recorder.barrier('job-AAPL').then(() => {
      passed = true;
    });
    await settled();
    expect(passed).toBe(false);
    await open();
    await barrier;
    expect(passed).toBe(true);
    await expect(recorder.barrier('job-GONE')).rejects.toMatchObject({ code: 'claim_lost' });
  });

  test('rejects the barrier when the claim is lost, stops the child and drops the claim', async () => {
    const { recorder, live, take, refuse, open, lost, errors } = recorded({ isOpen: false });
    await take('AAPL');
    const barrier = recorder.barrier('job-AAPL');
    barrier.catch(() => {});
    refuse(stale());
    await open();
    await expect(barrier).rejects.toMatchObject({ code: 'claim_lost' });
    expect(lost).toMatchObject([{ symbol: 'AAPL', epoch: 1 }]);
    expect([live.symbols(), live.actors.aborted, recorder.held()]).toEqual([[], ['AAPL'], []]);
    expect(errors).toHaveLength(1);
  });

  test('does not confuse the loss of an older claim with the newer claim', async () => {
    const { recorder, take, refuse, open, lost, live } = recorded({ isOpen: false });
    await take('AAPL');
    recorder.begin({ ...recorder.held()[0]!, claim: { ...recorder.held()[0]!.claim, epoch: 2 } });
    refuse(stale());
    await open();
    expect(lost).toEqual([]);
    expect(recorder.held()).toMatchObject([{ claim: { epoch: 2 } }]);
    live.send({ type: 'claim.lost', symbol: 'AAPL' });
  });

  test('records the crash of a child as its failure, and harms no sibling', async () => {
    const { live, take, committed, path, ends } = recorded();
    await take('AAPL');
    await take('MSFT');
    await live.actors.finish('AAPL', poison);
    expect(committed.at(-1)).toMatchObject({
      event: 'job.crashed',
      to: 'failed',
      from: 'processing.fetch.running',
      job: { status: 'failed', error: { code: 'job_crashed', phase: 'fetch' } },
    });
    expect(ends).toMatchObject([{ symbol: 'AAPL' }]);
    await live.actors.finish('MSFT');
    expect(path('MSFT').at(-1)).toBe('processing.factors.running');
    expect(live.symbols()).toEqual(['MSFT']);
  });

  test('fails a job whose transition the journal rejects permanently, and stores nothing of it', async () => {
    const run = recorded();
    await run.take('AAPL');
    await run.take('MSFT');
    run.refuse(new Error('unsupported Unicode escape sequence'), (records) =>
      records.some(({ job }) => job.results.bars === 'poison'),
    );
    await run.live.actors.finish('AAPL', { results: { bars: 'poison' } });
    await settled();
    const own = run.committed.filter(({ claim }) => claim.symbol === 'AAPL');
    expect(own.at(-1)).toMatchObject({
      from: 'processing.fetch.running',
      to: 'failed',
      event: 'job.crashed',
      job: { status: 'failed', phase: 'fetch', results: {}, error: { code: 'job_crashed', phase: 'fetch' } },
    });
    expect(breaks(own, { sequence: 2, state: 'pending' })).toEqual([]);
    expect(run.ends).toMatchObject([{ symbol: 'AAPL' }]);
    expect(run.live.symbols()).toEqual(['MSFT']);
    await run.live.actors.finish('MSFT');
    expect(run.path('MSFT').at(-1)).toBe('processing.factors.running');
  });

  test('fails no job because the database was down when the process stopped: the next claim resumes it', async () => {
    const { take, live, refuse, stop, committed, recorder } = recorded();
    await take('AAPL');
    refuse(outage(), (records) => records.some(({ event }) => event === 'fetch.done'));
    stop.abort(new Error('the service stops'));
    await live.actors.finish('AAPL');
    await recorder.idle();
    expect(committed.map(({ event }) => event)).toEqual(['permit.granted']);
    expect([recorder.held(), live.symbols()]).toEqual([[], []]);
  });

  test('records nothing when a child is stopped: its row does not change', async () => {
    const { live, take, committed, recorder } = recorded();
    await take('AAPL');
    const before = committed.length;
    live.send({ type: 'drain', graceMs: 0 });
    live.clock.increment(1);
    await settled();
    expect(live.supervisor.getSnapshot().status).toBe('done');
    expect(committed).toHaveLength(before);
    expect(recorder.held()).toMatchObject([{ claim: { symbol: 'AAPL' } }]);
  });

  test('writes a transition to the same state, and none for an ignored event', async () => {
    const { live, take, committed } = recorded();
    await take('AAPL', { phase: 'factors', status: 'processing' }, 1, 'processing.factors.waiting');
    await live.actors.fail('AAPL', permanent); // runs once more, degraded
    expect(committed.at(-1)).toMatchObject({
      event: 'factors.failed',
      from: 'processing.factors.running',
      to: 'processing.factors.running',
      job: { degraded: 'calculation_failed', partial: true },
    });
    const before = committed.length;
    for (const _ of ['factors', 'universe']) await live.actors.finish('AAPL');
    live.send({ type: 'job.cancel', symbol: 'AAPL' }); // too late
    await settled();
    expect(committed.length).toBe(before + 2);
  });

  test('never throws into the actor, whatever it observes', () => {
    const { recorder, errors } = recorded();
    const hostile = new Proxy({}, { get: () => expect.fail('hostile') });
    expect(() => recorder.inspect(hostile as never)).not.toThrow();
    expect(errors).toHaveLength(1);
  });

  test('leaves a journal without gaps for every job, in any order of events', async () => {
    const symbols = ['A', 'B', 'C'];
    const step = fc.record({
      symbol: fc.constantFrom(...symbols),
      what: fc.constantFrom(
        'finish',
        'finish',
        'finish',
        'retry',
        'wait',
        'fail',
        'wake',
        'cancel',
        'crash',
        'lose',
      ),
    });
    let ended = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const run = recorded({ concurrency: 2 });
        const { live, committed, recorder } = run;
        for (const symbol of symbols) await run.take(symbol);
        const deeds: Record<string, (symbol: string) => unknown> = {
          finish: (symbol) => live.actors.finish(symbol),
          retry: (symbol) => live.actors.fail(symbol, transient),
          wait: (symbol) => live.actors.fail(symbol, waitFor(1000)),
          fail: (symbol) => live.actors.fail(symbol, permanent),
          wake: (symbol) => live.actors.wake(symbol),
          cancel: (symbol) => live.send({ type: 'job.cancel', symbol }),
          crash: (symbol) => live.actors.finish(symbol, poison),
          lose: (symbol) => live.send({ type: 'claim.lost', symbol }),
        };
        for (const { symbol, what } of steps) {
          await Promise.resolve(deeds[what]!(symbol)).catch(() => {}); // nothing of that kind is under way
          await settled();
        }
        for (const symbol of symbols) {
          const own = committed.filter(({ claim }) => claim.symbol === symbol);
          expect(breaks(own, { sequence: 2, state: 'pending' })).toEqual([]);
          expect(replayed(symbol, own).filter(({ difference }) => difference !== null)).toEqual([]);
          const rest = own.findIndex(({ job }) => job.status !== 'pending' && job.status !== 'processing');
          if (rest >= 0) {
            ended += 1;
            expect(rest, 'nothing follows an end').toBe(own.length - 1);
            expect(recorder.held().map(({ claim }) => claim.symbol)).not.toContain(symbol);
          } else if (live.name(symbol)) expect(own.at(-1)?.to ?? 'pending').toBe(live.name(symbol));
        }
        stopAll();
      }),
      random(60, 3000),
    );
    expect(ended).toBeGreaterThan(30);
  });
});
