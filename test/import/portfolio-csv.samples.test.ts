import { describe, expect, test } from 'vitest';
import { readCsv } from '../portfolio/uploads.ts';
import { fixtureText } from '../support/fixtures.ts';

describe('portfolios in the original format', () => {
  test('52 long positions are 52 lots', () => {
    expect(readCsv(fixtureText('portfolios/long-only.csv'))).toMatchObject({
      lots: { length: 52 },
      warnings: [],
    });
  });

  test('options without a symbol are named by their terms', () => {
    const { lots } = readCsv(fixtureText('portfolios/long-short-options.csv'));
    expect(lots).toHaveLength(31);
    expect(lots?.[23]).toMatchObject({ symbol: 'XLK261218C00215500', needs: 'XLK', multiplier: 100 });
    expect(lots?.[30]).toMatchObject({ symbol: 'AMD260918P00097500', needs: 'AMD', quantity: '-55' });
    expect(lots?.filter(({ quantity }) => quantity.startsWith('-'))).toHaveLength(12);
  });

  test('the errors that a file announces are found, under their original codes', () => {
    const text = fixtureText('portfolios/announced-errors.csv');
    const { problems } = readCsv(text);
    const announced = text
      .split('\n')
      .flatMap((line, i) => (line.startsWith('# ERR_') ? [[i + 2, line.slice(2, 13)]] : []));
    expect(announced).toHaveLength(11);
    expect(problems?.map(({ line, code }) => [line, code])).toEqual(announced);
  });
});
