import { describe, expect, test } from 'vitest';
import { exposuresOf, type FactorSums } from '../../src/portfolio/exposure-sums.ts';

const sums = (changes: Partial<FactorSums> = {}): FactorSums => ({
  factor: 'market_beta',
  net: '1000',
  gross: '1000',
  measured: '900',
  assumed: '0',
  measured_net: '1000',
  full_gross: '1000',
  limited_gross: '0',
  default_gross: '0',
  oldest: '2026-07-30',
  ...changes,
});
const of = (...rows: FactorSums[]) => exposuresOf({ portfolioId: 'p', baseCurrency: 'USD', rows });

describe('the exposures of a portfolio', () => {
  test('are as old as the oldest measurement of any factor, in whichever order they come', () => {
    const days = ['2026-07-29', '2026-07-27', '2026-07-28', null];
    expect(of(...days.map((oldest) => sums({ oldest }))).oldest_calculation_date).toBe('2026-07-27');
    expect(of(sums({ oldest: null })).oldest_calculation_date).toBeNull();
  });

  test.each([
    ['100', 0.9, null],
    ['99.999999', null, 'net_near_zero'],
    ['-100', -0.9, null],
    ['-99.999999', null, 'net_near_zero'],
  ] as const)('have a beta over a net value of %s of 1000 gross: %s', (net, beta, reason) => {
    const [row] = of(sums({ measured: '90', measured_net: net })).exposures;
    expect([row!.beta_net, row!.beta_net_reason]).toEqual([beta, reason]);
    expect(row!.beta_gross).toBe(0.09);
  });

  test('count what is assumed in no beta, and what is not measured in the shares alone', () => {
    const row = sums({
      ...{ gross: '2000', full_gross: '500', limited_gross: '250', default_gross: '250' },
      ...{ measured: '600', assumed: '250', measured_net: '750' },
    });
    expect(of(row).exposures[0]).toMatchObject({
      dollar_exposure: '600.00',
      assumed_dollar_exposure: '250.00',
      measured_gross_value: '750.00',
      beta_gross: 0.8,
      beta_net: 0.8,
      gross_shares: {
        full_history: '0.250000',
        limited_history: '0.125000',
        default: '0.125000',
        not_applicable: '0.500000',
      },
    });
  });

  test('are rounded once, half away from zero, and zero has no sign', () => {
    const money = (measured: string) => of(sums({ measured })).exposures[0]!.dollar_exposure;
    expect(['0.005', '-0.005', '0.00499', '-0.004'].map(money)).toEqual(['0.01', '-0.01', '0.00', '0.00']);
  });
});
