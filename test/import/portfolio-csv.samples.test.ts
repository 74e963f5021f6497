import { describe, expect, test } from 'vitest';
import { readCsv } from '../portfolio/uploads.ts';
import { hasSharedData, readSharedText } from '../support/shared-data.ts';

const path = (name: string) => `portfolios/${name}.csv`;
const growth = path('Diversified-Growth-Investor');
const contrarian = path('Contrarian-Value-Trader');
const retiree = path('Conservative-Retiree-Portfolio');

describe('portfolios in the original format (real data, outside the repository)', () => {
  test.skipIf(!hasSharedData(growth))('52 long positions are 52 lots', () => {
    expect(readCsv(readSharedText(growth))).toMatchObject({ lots: { length: 52 }, warnings: [] });
  });

  test.skipIf(!hasSharedData(contrarian))('options without a symbol are named by their terms', () => {
    const { lots } = readCsv(readSharedText(contrarian));
    expect(lots).toHaveLength(31);
    expect(lots?.[23]).toMatchObject({ symbol: 'IWM250920C00220000', needs: 'IWM', multiplier: 100 });
    expect(lots?.filter(({ quantity }) => quantity.startsWith('-')).length).toBeGreaterThan(5);
  });

  // The file numbers its rows without the comments, and expects two decimals where we take six (its row 9).
  test.skipIf(!hasSharedData(retiree))(
    'the errors that a file announces are found, under their original codes',
    () => {
      const { problems } = readCsv(readSharedText(retiree), { today: '2026-07-31' });
      expect(problems?.map(({ line, code }) => [line, code])).toEqual([
        [8, 'ERR_POS_017'],
        [10, 'ERR_POS_003'],
        [12, 'ERR_POS_005'],
        [14, 'ERR_POS_006'],
        [16, 'ERR_POS_009'],
        [18, 'ERR_POS_010'],
        [22, 'ERR_POS_013'],
        [24, 'ERR_POS_014'],
        [28, 'ERR_POS_023'],
        [32, 'ERR_POS_016'],
        [36, 'ERR_POS_007'],
      ]);
    },
  );
});
