import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/kernel/clock.ts';

interface Timer {
  until: number;
  wake(): void;
}

/**
 * A clock that stands still until a test moves it: for `Clock`, and for XState's `clock` option.
 *
 * Sleepers wake in the order of their times, and those of one time in the order in which they went to sleep; each sees
 * its own time in `now()`, and what it goes on to do is done before the next one wakes, sleeping again included.
 *
 *     const clock = new TestClock();
 *     const done = retryIn(1000, clock);
 *     await clock.sleeping();       // it has gone to sleep
 *     await clock.advance(1000);
 *     await done;
 */
export class TestClock implements Clock {
  #now: number;
  #timers: Timer[] = [];
  #watchers: { count: number; resolve(): void }[] = [];

  /** Starts at `now`, epoch milliseconds or ISO 8601. */
  constructor(now: number | string = '2026-01-02T15:00:00Z') {
    this.#now = typeof now === 'number' ? now : Date.parse(now);
    assert.ok(Number.isFinite(this.#now), `expected a moment, got: ${now}`);
  }

  now(): number {
    return this.#now;
  }

  async sleepUntil(until: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (until <= this.#now) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = { until, wake: resolve };
    const abort = () => {
      this.#remove(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#add(timer);
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  // Fields, because XState calls them without the clock.
  readonly setTimeout = (wake: () => void, ms: number): Timer => {
    const timer = { until: this.#now + Math.max(0, ms), wake };
    this.#add(timer);
    return timer;
  };
  readonly clearTimeout = (timer: Timer): void => this.#remove(timer);

  /** When each sleeper will wake, the next one first. */
  get pending(): number[] {
    return this.#timers.map(({ until }) => until);
  }

  /** Resolves once at least `count` sleep: the code under test has come to rest. */
  sleeping(count = 1): Promise<void> {
    if (this.#timers.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }

  advance(ms: number): Promise<void> {
    return this.advanceTo(this.#now + ms);
  }

  /** Moves to `moment`, waking everyone whose time comes on the way. */
  async advanceTo(moment: number): Promise<void> {
    assert.ok(moment >= this.#now, `expected a moment not before ${this.#now}, got: ${moment}`);
    for (let next = this.#timers[0]; next && next.until <= moment; next = this.#timers[0]) {
      this.#now = Math.max(this.#now, next.until);
      this.#remove(next);
      next.wake();
      await nextTurn();
    }
    this.#now = Math.max(this.#now, moment);
  }

  /** Moves to the next sleeper's time, however far that is. */
  async advanceToNext(): Promise<void> {
    const [next] = this.pending;
    assert.ok(next !== undefined, 'expected somebody to be sleeping, got: nobody');
    await this.advanceTo(next);
  }

  #add(timer: Timer): void {
    const after = this.#timers.findIndex(({ until }) => until > timer.until);
    this.#timers.splice(after < 0 ? this.#timers.length : after, 0, timer);
    for (const watcher of [...this.#watchers]) {
      if (this.#timers.length < watcher.count) continue;
      this.#watchers.splice(this.#watchers.indexOf(watcher), 1);
      watcher.resolve();
    }
  }

  #remove(timer: Timer): void {
    const at = this.#timers.indexOf(timer);
    if (at >= 0) this.#timers.splice(at, 1);
  }
}
