import type { StatelyInspectionEvent } from '@statelyai/inspect';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { stateName } from '../../machines/job.ts';
import type { Inspection } from '../../src/contract/service.ts';
import { statelyInspection } from '../../src/onboarding/stately.inspector.ts';
import { liveSupervisor, permanent, random, settled, stopAll, transient } from '../machines/harness.ts';

afterEach(stopAll);

/** What a viewer knows: every registered actor with its last snapshot, and what it could not make sense of. */
async function viewer(inspection: Inspection) {
  const actors = new Map<string, { name: string; parentId?: string; snapshot: Shown }>();
  const strange: string[] = [];
  const bytes: string[] = [];
  const stop = await inspection.watch((message) => {
    bytes.push(message);
    const event = JSON.parse(message) as StatelyInspectionEvent;
    if (event.type === '@xstate.actor') {
      const { name, parentId, snapshot } = event;
      if (parentId !== undefined && !actors.has(parentId)) strange.push(`${name} before its parent`);
      actors.set(event.sessionId, { name, ...(parentId && { parentId }), snapshot: snapshot as Shown });
    } else if (!actors.has(event.sessionId)) strange.push(`${event.type} of somebody unknown`);
    else if (event.type === '@xstate.snapshot')
      actors.get(event.sessionId)!.snapshot = event.snapshot as never;
    else if (event.sourceId && !actors.has(event.sourceId)) strange.push('an event from somebody unknown');
  });
  return { actors, strange, bytes, stop };
}

interface Shown {
  status: string;
  value: Parameters<typeof stateName>[0];
  context: Record<string, unknown>;
}

/** Timers that are due have fired: the library tells everything one timer later. */
const told = () => new Promise((resolve) => setTimeout(resolve, 2));

const living = (view: Awaited<ReturnType<typeof viewer>>) =>
  Object.fromEntries(
    [...view.actors.values()]
      .filter(({ snapshot }) => snapshot.status === 'active')
      .map(({ name, snapshot }) => [name, stateName(snapshot.value)]),
  );

function inspected() {
  const live = liveSupervisor({ concurrency: 2 });
  const errors: unknown[] = [];
  const inspection = statelyInspection({ root: () => live.supervisor, log: (error) => errors.push(error) });
  const truth = () => ({
    supervisor: stateName(live.supervisor.getSnapshot().value),
    ...Object.fromEntries(live.symbols().map((symbol) => [symbol, live.name(symbol)])),
  });
  return { live, inspection, truth, errors };
}

test('a late viewer gets all actors, parents first, and all later events', async () => {
  const { live, inspection, truth } = inspected();
  live.take('AAPL');
  live.take('MSFT');
  await settled();
  await live.actors.finish('AAPL');
  const early = await viewer(inspection);
  await told();
  expect(living(early)).toEqual(truth());
  expect(living(early).AAPL).toBe('processing.factors.running');

  live.take('NEW');
  await live.actors.fail('AAPL', transient);
  const late = await viewer(inspection);
  await told();
  for (const view of [early, late]) {
    expect(living(view)).toEqual(truth());
    expect(view.strange).toEqual([]);
  }
  const definition = JSON.parse(late.bytes.find((one) => one.includes('"name":"AAPL"'))!).definition;
  expect(Object.keys(JSON.parse(definition).states)).toContain('processing');
  early.stop();
  late.stop();
});

test('nothing is observed without a viewer', async () => {
  const { live, inspection } = inspected();
  let observers = 0;
  const inspect = live.supervisor.system.inspect.bind(live.supervisor.system);
  live.supervisor.system.inspect = ((observer: never) => {
    const subscription = inspect(observer);
    observers += 1;
    return {
      unsubscribe() {
        observers -= 1;
        subscription.unsubscribe();
      },
    };
  }) as typeof inspect;
  const [one, two] = [await viewer(inspection), await viewer(inspection)];
  expect(observers).toBe(1);
  one.stop();
  one.stop();
  expect(observers).toBe(1);
  two.stop();
  expect(observers).toBe(0);
  await told();
  const before = two.bytes.length;
  live.take('AAPL');
  await told();
  expect(two.bytes.length).toBe(before);
});

test('contexts and events have no secrets, and a failing viewer harms no actor', async () => {
  const { live, inspection, errors } = inspected();
  live.take('AAPL', { results: { crumb: 's3cret', source: 'https://x.example/?key=s3cret' } });
  await settled();
  const view = await viewer(inspection);
  const broken = await inspection.watch(() => {
    throw new Error('a viewer that fails');
  });
  await live.actors.fail('AAPL', { ...permanent, message: 'GET https://x.example/?crumb=s3cret' });
  await told();
  expect(view.bytes.join()).toContain('https://x.example/?crumb=***');
  expect(view.bytes.join()).not.toContain('s3cret');
  expect(live.name('AAPL')).toBe('failed');
  expect(errors.length).toBeGreaterThan(0);
  broken();
  view.stop();
});

test('every viewer has the state of every actor, in any order of events', async () => {
  const symbols = ['A', 'B', 'C'];
  const step = fc.record({
    symbol: fc.constantFrom(...symbols),
    what: fc.constantFrom(
      'take',
      'finish',
      'finish',
      'retry',
      'fail',
      'wake',
      'cancel',
      'lose',
      'join',
      'leave',
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const { live, inspection, truth } = inspected();
      const views: Awaited<ReturnType<typeof viewer>>[] = [];
      const deeds: Record<string, (symbol: string) => unknown> = {
        take: (symbol) => live.take(symbol),
        finish: (symbol) => live.actors.finish(symbol),
        retry: (symbol) => live.actors.fail(symbol, transient),
        fail: (symbol) => live.actors.fail(symbol, permanent),
        wake: (symbol) => live.actors.wake(symbol),
        cancel: (symbol) => live.send({ type: 'job.cancel', symbol }),
        lose: (symbol) => live.send({ type: 'claim.lost', symbol }),
        join: async () => views.push(await viewer(inspection)),
        leave: () => views.shift()?.stop(),
      };
      for (const { symbol, what } of steps) await Promise.resolve(deeds[what]!(symbol)).catch(() => {});
      await told();
      for (const view of views) {
        expect(view.strange).toEqual([]);
        expect(living(view)).toEqual(truth());
        view.stop();
      }
      stopAll();
    }),
    random(40, 2000),
  );
});
