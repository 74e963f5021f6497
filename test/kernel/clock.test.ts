import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/kernel/system.clock.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: vi.fn() }));

afterEach(() => {
  vi.useRealTimers();
  vi.mocked(sleep).mockReset();
});

describe('the clock of the system', () => {
  test('sleeps until a far day in turns that a timer of Node can take', async () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    const turns: number[] = [];
    vi.mocked(sleep).mockImplementation((async (ms: number) => {
      turns.push(ms);
      vi.setSystemTime(Date.now() + ms);
    }) as typeof sleep);
    const tenYears = 3653 * 24 * 60 * 60 * 1000;
    await systemClock.sleepUntil(tenYears);
    expect(Date.now()).toBe(tenYears);
    expect(Math.max(...turns)).toBe(2 ** 31 - 1);
    expect(turns).toHaveLength(Math.ceil(tenYears / (2 ** 31 - 1)));
  });

  test('does not sleep until what is past', async () => {
    await systemClock.sleepUntil(Date.now());
    expect(sleep).not.toHaveBeenCalled();
  });
});

const root = join(import.meta.dirname, '../..');
const filesWith = (pattern: RegExp) =>
  globSync('{machines,src}/**/*.ts', { cwd: root })
    .filter((path) => pattern.test(readFileSync(join(root, path), 'utf8').replace(/^\s*(\/\/|\*).*$/gm, '')))
    .sort();

test('nobody but the clock sets a timer that could be longer than Node can take: it would fire at once', () => {
  expect(filesWith(/\bset(Timeout|Interval)\b/)).toEqual([
    'src/api/feed/events.routes.ts', // a constant
    'src/api/feed/live.socket.ts', // a constant
    'src/api/http.server.ts', // a constant
    'src/api/http/idle-connections.plugin.ts', // constants
    'src/api/inspector/bridge.browser.ts', // backoff below a constant
    'src/api/inspector/inspector.socket.ts', // a constant
    'src/api/problems/problem.handler.ts', // a constant
    'src/client/feed.client.ts', // constants
    'src/client/http.client.ts', // backoff below a constant
    'src/diagnosis/diagnosis.probe.ts', // a constant
    'src/kernel/system.clock.ts',
    'src/onboarding/stately.inspector.ts', // the end of the turn
    'src/serve.ts', // SHUTDOWN_GRACE_MS, which is an hour at most
  ]);
});

test('no signal that lives long is joined with others: it remembers each for as long as it lives', () => {
  expect(filesWith(/AbortSignal\.any\(/)).toEqual([
    'src/client/http.client.ts', // the caller's: of one command, or of a page
    'src/market/yahoo/yahoo.fetch.ts', // that of one phase, or of one upload
  ]);
});
