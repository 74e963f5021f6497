import { afterEach, describe, expect, test } from 'vitest';
import { claimOf, liveSupervisor, stopAll, transient } from './harness.ts';

afterEach(stopAll);

const running = 'processing.fetch.running';

describe('under a ceiling over all nodes', () => {
  const bounded = { concurrency: 2, clusterConcurrency: 5 };

  test('no child runs before it has a permit of the cluster, and the next in the queue requests one', () => {
    const { take, grant, needed, name, context } = liveSupervisor(bounded);
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    expect(['A', 'B', 'C'].map(name)).toEqual(['pending', 'pending', 'pending']);
    expect(context()).toMatchObject({ permits: [], asking: ['A', 'B'], waiting: ['C'] });
    grant(claimOf('B'));
    expect(['A', 'B', 'C'].map(name)).toEqual(['pending', running, 'pending']);
    expect(needed()).toEqual([' | A', ' | A B', 'B | A']);
  });

  test('the permit is released when a symbol backs off, is settled or lost, and the next requests one', async () => {
    const { take, send, grant, actors, needed } = liveSupervisor(bounded);
    for (const symbol of ['A', 'B', 'C', 'D', 'E']) take(symbol);
    for (const symbol of ['A', 'B']) grant(claimOf(symbol));
    await actors.fail('A', transient);
    expect(needed().at(-1)).toBe('B | C');
    send({ type: 'job.settled', symbol: 'B' });
    expect(needed().at(-1)).toBe(' | C D');
    send({ type: 'claim.lost', symbol: 'C' });
    expect(needed().at(-1)).toBe(' | D E');
    await actors.wake('A');
    send({ type: 'job.settled', symbol: 'D' });
    expect(needed().at(-1)).toBe(' | A E');
  });

  test('the permit is kept until the end is committed, because nodes have no common commit order', () => {
    const { take, send, grant, needed } = liveSupervisor({ ...bounded, concurrency: 1 });
    for (const symbol of ['A', 'B']) take(symbol);
    grant(claimOf('A'));
    send({ type: 'job.ended', symbol: 'A' });
    expect(needed().at(-1)).toBe('A | ');
    send({ type: 'job.settled', symbol: 'A' });
    expect(needed().at(-1)).toBe(' | B');
  });

  test('a permit for a claim that no longer asks starts no child', () => {
    const { take, grant, name, context } = liveSupervisor(bounded);
    take('A');
    take('A', {}, 2);
    grant(claimOf('A', 1));
    grant(claimOf('GHOST'));
    expect(name('A')).toBe('pending');
    expect(context()).toMatchObject({ permits: [], asking: ['A'] });
    grant(claimOf('A', 2));
    expect(name('A')).toBe(running);
  });

  test('a pause withdraws requests, and a permit that arrives later starts no child', () => {
    const { take, send, grant, needed, name, context } = liveSupervisor(bounded);
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    grant(claimOf('A'));
    send({ type: 'pause' });
    expect(needed().at(-1)).toBe('A | ');
    grant(claimOf('B'));
    expect([name('B'), context().waiting]).toEqual(['pending', ['B', 'C']]);
    send({ type: 'resume' });
    expect(needed().at(-1)).toBe('A | B');
    grant(claimOf('B'));
    expect(name('B')).toBe(running);
  });

  test('a drain requests nothing more and releases the permit of each job that ends', () => {
    const { take, send, grant, needed, symbols, supervisor } = liveSupervisor(bounded);
    for (const symbol of ['A', 'B', 'C']) take(symbol);
    for (const symbol of ['A', 'B']) grant(claimOf(symbol));
    send({ type: 'drain', graceMs: 5000 });
    supervisor.send({ type: 'job.settled', symbol: 'A' });
    expect([symbols(), needed().at(-1)]).toEqual([['B'], 'B | ']);
  });

  test('a node claims no more than the cluster may run', () => {
    const { rooms } = liveSupervisor({ concurrency: 4, clusterConcurrency: 3, prefetch: 0 });
    expect(rooms()).toEqual([3]);
  });
});
