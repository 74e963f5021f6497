import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { batchWrites } from '../../../src/api/inspector/batch-writes.ts';
import { endOfTurn } from '../../../src/kernel/batching.ts';

/** A wire, and what went over it, piece by piece. */
function wired() {
  const pieces: string[] = [];
  const wire = new Writable({
    decodeStrings: false,
    writev: (chunks, done) => {
      pieces.push(chunks.map(({ chunk }) => chunk).join(''));
      done();
    },
  });
  const write = (text: string) => {
    batchWrites(wire);
    wire.write(text);
  };
  return { wire, pieces, write };
}

test('what is written within a turn leaves in one piece, that of the next turn in another', async () => {
  const [one, other] = [wired(), wired()];
  for (const text of ['a', 'b', 'c']) one.write(text);
  other.write('x');
  expect([one.pieces, other.pieces]).toEqual([[], []]);
  await endOfTurn();
  expect([one.pieces, other.pieces]).toEqual([['abc'], ['x']]);
  one.write('d');
  await endOfTurn();
  expect([one.pieces, other.pieces]).toEqual([['abc', 'd'], ['x']]);
});

test('a wire that breaks meanwhile holds nobody else up', async () => {
  const [broken, other] = [wired(), wired()];
  broken.write('a');
  other.write('x');
  broken.wire.destroy();
  await endOfTurn();
  other.write('y');
  await endOfTurn();
  expect(other.pieces).toEqual(['x', 'y']);
});
