import { expect, test } from 'vitest';
import type { UploadInput } from '../../src/contract/service.ts';
import { fingerprintOf } from '../../src/upload/upload-fingerprint.ts';
import { soundRow } from '../portfolio/uploads.ts';

const csv = (text: string): UploadInput['source'] => ({ kind: 'csv', bytes: new TextEncoder().encode(text) });
const json = (...positions: object[]) => ({ kind: 'json', positions }) as UploadInput['source'];
const options = { name: 'Mine', baseCurrency: 'USD', allowDuplicates: false };
const of = (source: UploadInput['source'], changes: Partial<UploadInput> = {}) =>
  fingerprintOf({ ...options, ...changes, source });

test('is the same for the same file and options, and for rows that mean the same JSON', () => {
  expect(of(csv('a'))).toBe(of(csv('a')));
  expect(of(csv('a'))).toMatch(/^[0-9a-f]{64}$/);
  const { symbol, ...rest } = soundRow;
  expect(of(json({ ...rest, symbol, currency: null }))).toBe(of(json(soundRow)));
});

test('differs with every option and with every row', () => {
  const rows = json(soundRow, { ...soundRow, quantity: '1' });
  const all = [
    ...[of(csv('a')), of(csv('b')), of(csv('')), of(json(soundRow)), of(rows), of(json(soundRow, soundRow))],
    of(csv('a'), { name: 'Other' }),
    of(csv('a'), { baseCurrency: 'EUR' }),
    of(csv('a'), { allowDuplicates: true }),
    of(json({ ...soundRow, currency: 'USD' })),
    of(json({ ...soundRow, symbol: 'MSFT' })),
  ];
  expect(new Set(all).size).toBe(all.length);
});
