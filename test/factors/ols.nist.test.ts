import { describe, expect, test } from 'vitest';
import { centre } from '../../src/factors/centering.ts';
import { fitOls } from '../../src/factors/ols.ts';
import { fitRidge, prepareRidge } from '../../src/factors/ridge.ts';
import { expectDigits } from '../support/near.ts';
import { hasSharedData, readSharedJson } from '../support/shared-data.ts';

interface Problem {
  certified: { coefficients: { estimate: string }[]; rSquared: string };
  data: number[][];
}
const file = 'nist/nist-linear.json';

// Degree of the polynomial in x (0: several columns), and the certified digits that must come out. Half precision
// is what a double leaves of Filip's and the Wamplers' nearly dependent powers; NoInt1 and 2 have no intercept.
const problems: Record<string, { degree: number; digits: number }> = {
  Norris: { degree: 1, digits: 11 },
  Pontius: { degree: 2, digits: 11 },
  Longley: { degree: 0, digits: 11 },
  Wampler1: { degree: 5, digits: 8 },
  Wampler2: { degree: 5, digits: 11 },
  Wampler3: { degree: 5, digits: 8 },
  Wampler4: { degree: 5, digits: 7 },
  Wampler5: { degree: 5, digits: 5 },
  Filip: { degree: 10, digits: 7 },
};

describe.skipIf(!hasSharedData(file))('the certified problems of NIST', () => {
  test.each(Object.entries(problems))(
    '%s comes out right (real data, outside the repository)',
    (name, problem) => {
      const { certified, data } = readSharedJson<{ datasets: Record<string, Problem> }>(file).datasets[name]!;
      const { degree, digits } = problem;
      const y = data.map((row) => row[0]!);
      const x =
        degree === 0
          ? data[0]!.slice(1).map((_, k) => data.map((row) => row[k + 1]!))
          : Array.from({ length: degree }, (_, k) => data.map((row) => row[1]! ** (k + 1)));
      const { betas, intercept, rSquared } = fitRidge({
        y: centre(y),
        design: prepareRidge({ x, alpha: 0 }),
      });
      const expected = certified.coefficients.map(({ estimate }) => Number(estimate));
      for (const [k, value] of [intercept, ...betas].entries())
        expectDigits(value, expected[k]!, digits, `B${k}`);
      expectDigits(rSquared!, Number(certified.rSquared), digits, 'R²');
    },
  );

  test('Norris comes out right one by one too (real data, outside the repository)', () => {
    const { certified, data } = readSharedJson<{ datasets: Record<string, Problem> }>(file).datasets.Norris!;
    const fit = fitOls({ y: centre(data.map((row) => row[0]!)), x: centre(data.map((row) => row[1]!)) });
    expectDigits(fit.beta, Number(certified.coefficients[1]!.estimate), 11, 'B1');
    expect(fit.exact).toBe(false);
  });
});
