import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lotValues, type PricedLot, snapshotTotals } from '../../src/portfolio/snapshot.ts';

const long: PricedLot = {
  investmentClass: 'PUBLIC',
  quantity: '10',
  multiplier: 1,
  entryPrice: '150',
  currency: null,
  exitDate: null,
  exitPrice: null,
  symbolCurrency: 'USD',
  lastClose: '172.405',
  priceDate: '2026-07-31',
  valueRate: null,
  costRate: null,
  isPending: false,
  isRatePending: false,
};
const unpriced = { lastClose: null, priceDate: null };
const option: PricedLot = {
  ...long,
  investmentClass: 'OPTIONS',
  multiplier: 100,
  quantity: '2',
  entryPrice: '5',
};
const holding: PricedLot = { ...long, ...unpriced, investmentClass: 'PRIVATE', symbolCurrency: null };
const cash: PricedLot = { ...long, ...unpriced, investmentClass: 'CASH', currency: 'USD', entryPrice: '1' };
const sold: PricedLot = { ...long, exitDate: '2026-07-01', exitPrice: '160' };

const totals = (lots: PricedLot[], baseCurrency = 'USD') => snapshotTotals({ lots, baseCurrency });

describe('the totals of one lot', () => {
  test('are its value, its cost and their difference', () => {
    expect(totals([long])).toEqual({
      snapshotDate: '2026-07-31',
      totalValue: '1724.05',
      totalCost: '1500.00',
      totalPnl: '224.05',
      pnlPercent: '14.9367',
      longValue: '1724.05',
      shortValue: '0.00',
      grossExposure: '1724.05',
      netExposure: '1724.05',
      realizedPnl: '0.00',
      positionCount: 1,
      unpricedCount: 0,
      pendingCount: 0,
      missingFxCount: 0,
      coverage: '1.000000',
      isComplete: true,
      oldestPriceDate: '2026-07-31',
    });
  });

  test('of a short position gain when the price falls, and the percentage has the sign of the gain', () => {
    const short = { ...long, quantity: '-10', lastClose: '120' };
    expect(totals([short])).toMatchObject({
      totalValue: '-1200.00',
      totalCost: '-1500.00',
      totalPnl: '300.00',
      pnlPercent: '20.0000',
      longValue: '0.00',
      shortValue: '-1200.00',
      grossExposure: '1200.00',
      netExposure: '-1200.00',
    });
  });
});

describe('the totals of several lots', () => {
  test('net longs against shorts in value, not in gross exposure or in the base of the percentage', () => {
    const short = { ...long, quantity: '-10', entryPrice: '150', lastClose: '180' };
    expect(totals([{ ...long, lastClose: '180' }, short])).toMatchObject({
      totalValue: '0.00',
      totalCost: '0.00',
      totalPnl: '0.00',
      pnlPercent: '0.0000',
      grossExposure: '3600.00',
      netExposure: '0.00',
    });
  });

  test('are dated by the latest price, and say how old the oldest is', () => {
    const older = { ...long, priceDate: '2026-07-28' };
    expect(totals([older, long, older])).toMatchObject({
      snapshotDate: '2026-07-31',
      oldestPriceDate: '2026-07-28',
    });
  });

  test('do not exist without a priced lot', () => {
    expect(totals([])).toBeNull();
    expect(totals([option, holding, sold, { ...long, ...unpriced, isPending: true }])).toBeNull();
  });

  test('of nothing but cash have the date of the session, and no gain', () => {
    const input = { lots: [cash], baseCurrency: 'USD', session: '2026-07-31' };
    expect(snapshotTotals(input)).toMatchObject({
      snapshotDate: '2026-07-31',
      oldestPriceDate: '2026-07-31',
      totalValue: '10.00',
      totalPnl: '0.00',
      positionCount: 1,
    });
  });
});

describe('what is not priced', () => {
  test.each([
    ['an option', option, 'unpriced'],
    ['a private holding', holding, 'unpriced'],
    ['a lot that waits for its symbol', { ...long, ...unpriced, isPending: true }, 'pending'],
    ['a lot whose symbol failed', { ...long, ...unpriced }, 'failed'],
    ['a lot in euros', { ...long, symbolCurrency: 'EUR' }, 'missing_fx'],
    ['a lot bought in euros of a symbol in dollars', { ...long, currency: 'EUR' }, 'missing_fx'],
    ['a lot in a currency that nobody knows', { ...long, symbolCurrency: null }, 'missing_fx'],
    ['cash in euros', { ...cash, currency: 'EUR' }, 'missing_fx'],
    ['a closed lot', sold, 'closed'],
  ] as const)('%s enters no total', (_, lot, disposition) => {
    expect(lotValues(lot, 'USD')).toMatchObject({ disposition, value: null });
    const { totalValue, totalCost, positionCount, grossExposure } = totals([long, lot]) ?? {};
    expect({ totalValue, totalCost, positionCount, grossExposure }).toEqual({
      totalValue: '1724.05',
      totalCost: '1500.00',
      positionCount: 1,
      grossExposure: '1724.05',
    });
  });

  test('options and private holdings lower the coverage, and leave the snapshot complete', () => {
    expect(totals([long, option, { ...holding, entryPrice: '50' }])).toMatchObject({
      unpricedCount: 2,
      coverage: '0.500000', // 1500 of 1500 + 2 x 100 x 5 + 10 x 50
      isComplete: true,
    });
  });

  test.each([
    ['pending', { ...unpriced, isPending: true }],
    ['failed', unpriced],
  ])('a %s lot lowers the coverage and leaves the snapshot incomplete', (_, change) => {
    expect(totals([long, { ...long, ...change }])).toMatchObject({
      unpricedCount: 1,
      coverage: '0.500000',
      isComplete: false,
    });
  });

  test('a lot without a rate leaves the coverage unknown', () => {
    expect(totals([long, { ...long, symbolCurrency: 'EUR' }])).toMatchObject({
      missingFxCount: 1,
      unpricedCount: 0,
      coverage: null,
      isComplete: false,
    });
    expect(totals([long, { ...option, currency: 'EUR' }])).toMatchObject({
      unpricedCount: 1,
      coverage: null,
    });
  });

  test('a priced lot whose symbol is onboarded again is counted as pending, and in the totals', () => {
    expect(totals([{ ...long, isPending: true }])).toMatchObject({
      pendingCount: 1,
      positionCount: 1,
      isComplete: true,
    });
  });
});

describe('the realised gain', () => {
  test('is that of closed lots, with sign and multiplier, in no other total', () => {
    const cover = { ...sold, quantity: '-4' };
    const expired = { ...option, exitDate: '2026-07-01', exitPrice: '0' };
    const { realizedPnl, totalPnl } = totals([long, sold, cover, expired]) ?? {};
    expect(realizedPnl).toBe('-940.00'); // 100 - 40 - 1000
    expect(totalPnl).toBe('224.05');
  });

  test('leaves out what was sold at an unknown price, and is unknown where a rate is missing', () => {
    expect(totals([long, sold, { ...sold, exitPrice: null }])).toMatchObject({ realizedPnl: '100.00' });
    expect(totals([long, sold, { ...sold, currency: 'EUR' }])).toMatchObject({ realizedPnl: null });
  });
});

describe('rounding', () => {
  const one = (lastClose: string, quantity = '1') => totals([{ ...long, quantity, lastClose }])?.totalValue;

  test('is half away from zero, once, to the digits of the currency', () => {
    expect(one('1.005')).toBe('1.01');
    expect(one('1.005', '-1')).toBe('-1.01');
    expect(one('1.004999999')).toBe('1.00');
    const yen = { ...long, quantity: '1', symbolCurrency: 'JPY' };
    expect(totals([{ ...yen, lastClose: '1234.5' }], 'JPY')?.totalValue).toBe('1235');
    const dinar = { ...long, quantity: '1', symbolCurrency: 'KWD' };
    expect(totals([{ ...dinar, lastClose: '1.0005' }], 'KWD')?.totalValue).toBe('1.001');
  });

  test('never shows a negative zero', () => {
    expect(one('0.001', '-1')).toBe('0.00');
  });

  test('comes after the sum: a thousand thirds of a cent are 3.33', () => {
    const third = { ...long, quantity: '1', lastClose: '0.00333' };
    expect(totals(Array(1000).fill(third))?.totalValue).toBe('3.33');
  });

  test('of the gain is the difference of the rounded totals', () => {
    const lot = { ...long, quantity: '1', entryPrice: '1.005', lastClose: '2.004' };
    expect(totals([lot])).toMatchObject({ totalValue: '2.00', totalCost: '1.01', totalPnl: '0.99' });
  });

  test('of the percentage uses unrounded sums, and no quotient rounded before', () => {
    const lot = { ...long, quantity: '1', entryPrice: '1.005', lastClose: '2.004' };
    expect(totals([lot])?.pnlPercent).toBe('99.4030');
    // 2e22 gained on 4e28 is half of a ten-thousandth of a percent; the second lot takes 1e-12 from it. A quotient
    // rounded to big.js's 20 decimals would already be the tie.
    const tie = { ...long, quantity: '1e14', entryPrice: '4e14', lastClose: '400000200000000' };
    const speck = { ...long, quantity: '-0.000001', entryPrice: '0.000001', lastClose: '0.000002' };
    expect(totals([tie])?.pnlPercent).toBe('0.0001');
    expect(totals([tie, speck])?.pnlPercent).toBe('0.0000');
    expect(totals([{ ...tie, quantity: '-1e14' }])?.pnlPercent).toBe('-0.0001');
  });
});

describe('snapshotTotals', () => {
  const price = fc.integer({ min: 1, max: 10 ** 9 }).map((n) => (n / 10_000).toFixed(4));
  const lot: fc.Arbitrary<PricedLot> = fc.record({
    investmentClass: fc.constantFrom('PUBLIC', 'PUBLIC', 'OPTIONS', 'PRIVATE'),
    quantity: fc
      .integer({ min: -10_000, max: 10_000 })
      .filter((n) => n !== 0)
      .map(String),
    multiplier: fc.constantFrom(1, 100),
    entryPrice: price,
    currency: fc.constantFrom(null, 'USD', 'EUR'),
    exitDate: fc.constantFrom(null, null, '2026-07-01'),
    exitPrice: fc.option(price),
    symbolCurrency: fc.constantFrom('USD', 'USD', 'EUR', null),
    lastClose: fc.option(price),
    priceDate: fc.constantFrom('2026-07-30', '2026-07-31'),
    valueRate: fc.constantFrom(null, '1.0436', '0.006578947368421053'),
    costRate: fc.constantFrom(null, '1.12'),
    isPending: fc.boolean(),
    isRatePending: fc.boolean(),
  });
  const cents = (money: string): bigint => BigInt(money.replace('.', ''));

  test('counts every open lot once, and its totals agree with each other (property)', () => {
    fc.assert(
      fc.property(fc.array(lot), (lots) => {
        const found = totals(lots);
        if (found === null) return;
        const open = lots.filter(({ exitDate }) => exitDate === null).length;
        expect(found.positionCount + found.unpricedCount + found.missingFxCount).toBe(open);
        expect(cents(found.totalPnl)).toBe(cents(found.totalValue) - cents(found.totalCost));
        expect(found.netExposure).toBe(found.totalValue);
        const drift = cents(found.grossExposure) - (cents(found.longValue) - cents(found.shortValue));
        expect(drift * drift).toBeLessThanOrEqual(1n);
        expect(Number(found.coverage ?? 0)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('does not depend on the order of the lots (property)', () => {
    const shuffled = fc
      .array(lot)
      .chain((lots) => fc.tuple(fc.constant(lots), fc.shuffledSubarray(lots, { minLength: lots.length })));
    fc.assert(
      fc.property(shuffled, ([lots, other]) => {
        expect(totals(other)).toEqual(totals(lots));
      }),
    );
  });

  test('of integer prices is integer arithmetic (property)', () => {
    const whole = fc.tuple(
      fc.bigInt(-(10n ** 12n), 10n ** 12n),
      fc.bigInt(1n, 10n ** 12n),
      fc.bigInt(1n, 10n ** 12n),
    );
    fc.assert(
      fc.property(fc.array(whole, { minLength: 1 }), (rows) => {
        const lots = rows.map(([quantity, entryPrice, lastClose]) => ({
          ...long,
          quantity: String(quantity),
          entryPrice: String(entryPrice),
          lastClose: String(lastClose),
        }));
        const value = rows.reduce((sum, [quantity, , close]) => sum + quantity * close, 0n);
        const cost = rows.reduce((sum, [quantity, entry]) => sum + quantity * entry, 0n);
        expect(totals(lots)).toMatchObject({ totalValue: `${value}.00`, totalCost: `${cost}.00` });
      }),
    );
  });
});
