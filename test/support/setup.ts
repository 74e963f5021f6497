import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { forgetStopped, handles, handlesBeyond, leaks, mark, watch } from './leaks.ts';

// A test that starts an actor, a server or a process stops it, or fails. What a `beforeAll` started may live until the
// end of the file, and so may the databases, their connections and their timers; there they have to be gone.
watch();
let before: ReadonlyMap<string, number>;

beforeAll(() => {
  before = handles();
});

beforeEach(({ onTestFinished }) => {
  forgetStopped();
  const since = mark();
  // Registered first, so it runs last: after every `afterEach` and `onTestFinished` of the test itself.
  onTestFinished(async () => {
    const left = await leaks({ since, kinds: ['actor', 'server', 'process'] });
    assert.deepEqual(left, [], `the test left running:\n${left.join('\n')}`);
  });
});

afterAll(async () => {
  const left = [...(await leaks({})), ...(await handlesBeyond(before))];
  assert.deepEqual(left, [], `the file left running:\n${left.join('\n')}`);
});
