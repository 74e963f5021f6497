import { expect, test } from 'vitest';
import { isOutdated, named } from '../../src/database/statement-names.ts';

const outdated = Object.assign(new Error('cached plan must not change result type'), { code: '0A000' });

test('a statement has one name, and another one once its plan is outdated', () => {
  const first = named('select 1');
  expect(named('select 1')).toBe(first);
  expect(isOutdated('select 1', new Error('no'))).toBe(false);
  expect(named('select 1')).toBe(first);
  expect(isOutdated('select 1', outdated)).toBe(true);
  expect(named('select 1')).toMatchObject({ text: 'select 1' });
  expect(named('select 1')).not.toEqual(first);
});

test('statements beyond the 500th have none: no connection prepares without end', () => {
  const texts = Array.from({ length: 600 }, (_, n) => `select ${n + 10}`);
  const names = texts.map((text) => named(text));
  expect(names.filter((one) => typeof one !== 'string')).toHaveLength(499);
  expect(new Set(names).size).toBe(600);
  expect(names.at(-1)).toBe('select 609');
  expect(named('select 10')).toBe(names[0]);
});
