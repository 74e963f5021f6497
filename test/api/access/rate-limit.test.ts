import { normalizeIP } from '@fastify/rate-limit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientOf, rateLimiter } from '../../../src/api/access/rate-limit.ts';
import { numRuns } from '../../support/series.ts';

describe('rateLimiter', () => {
  test('lets a client have its limit each minute, from its first request on', () => {
    const limiter = rateLimiter(2);
    expect(limiter.take('a', 1000)).toEqual({ remaining: 1, resetSeconds: 60, exceeded: false });
    expect(limiter.take('a', 31_000)).toEqual({ remaining: 0, resetSeconds: 30, exceeded: false });
    expect(limiter.take('a', 60_999)).toEqual({ remaining: 0, resetSeconds: 1, exceeded: true });
    expect(limiter.take('b', 60_999).exceeded).toBe(false);
    expect(limiter.take('a', 61_000)).toEqual({ remaining: 1, resetSeconds: 60, exceeded: false });
  });

  test('looks without counting', () => {
    const limiter = rateLimiter(1);
    for (let n = 0; n < 3; n += 1) expect(limiter.peek('a', 0).exceeded).toBe(false);
    limiter.take('a', 0);
    expect(limiter.peek('a', 59_000)).toEqual({ remaining: 0, resetSeconds: 1, exceeded: true });
    expect(limiter.peek('a', 60_000).exceeded).toBe(false);
  });

  test('remembers the last 10,000 clients and no more', () => {
    const limiter = rateLimiter(1);
    limiter.take('first', 0);
    for (let n = 0; n < 9999; n += 1) limiter.take(String(n), 0);
    expect(limiter.peek('first', 0).exceeded).toBe(true); // looked at: the last to be forgotten
    for (let n = 0; n < 10_000; n += 1) limiter.take(`other ${n}`, 0);
    expect(limiter.peek('first', 0).exceeded).toBe(false);
  });
});

describe('clientOf', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is %s', (address, client) => {
    expect(clientOf(address)).toBe(client);
  });

  test('takes the same addresses together as @fastify/rate-limit does', () => {
    // Few groups and few values, so that many pairs share a network.
    const group = fc.constantFrom('0', '1', 'ab', '00ab');
    const address = fc
      .tuple(fc.array(group, { minLength: 1, maxLength: 8 }), fc.nat(8))
      .map(([groups, at]) =>
        groups.length === 8
          ? groups.join(':')
          : `${groups.slice(0, at).join(':')}::${groups.slice(at).join(':')}`,
      );
    fc.assert(
      fc.property(address, address, (one, other) => {
        const same = normalizeIP(one, 64) === normalizeIP(other, 64);
        expect(clientOf(one) === clientOf(other)).toBe(same);
      }),
      { numRuns, seed: 7 },
    );
  });

  test('bounds what a proxy may call its client', () => {
    expect(clientOf('x'.repeat(10_000)).length).toBeLessThan(100);
    expect(clientOf(`${'a'.repeat(10_000)}:b`).length).toBeLessThan(100);
  });
});
