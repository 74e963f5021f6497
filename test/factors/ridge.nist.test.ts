import { describe, test } from 'vitest';
import { centre } from '../../src/factors/centering.ts';
import { fitRidge, prepareRidge } from '../../src/factors/ridge.ts';
import { expectDigits } from '../support/near.ts';
import { nistProblem } from '../support/nist.ts';

// Degree of the polynomial in x (0: several columns), and the certified digits that must come out. Normal equations
// have 7 on Longley. Half precision is what a double leaves of Filip's and the Wamplers' nearly dependent powers.
const problems: [name: string, expected: { degree: number; digits: number }][] = [
  ['Norris', { degree: 1, digits: 11 }],
  ['Pontius', { degree: 2, digits: 11 }],
  ['Longley', { degree: 0, digits: 11 }],
  ['Wampler1', { degree: 5, digits: 8 }],
  ['Wampler2', { degree: 5, digits: 11 }],
  ['Wampler3', { degree: 5, digits: 8 }],
  ['Wampler4', { degree: 5, digits: 7 }],
  ['Wampler5', { degree: 5, digits: 5 }],
  ['Filip', { degree: 10, digits: 7 }],
];

describe('ridge regression without a penalty', () => {
  test.each(problems)('has the certified digits on %s of NIST', (name, { degree, digits }) => {
    const { coefficients, data, ...certified } = nistProblem(name);
    const y = data.map((row) => row[0]!);
    const x =
      degree === 0
        ? data[0]!.slice(1).map((_, k) => data.map((row) => row[k + 1]!))
        : Array.from({ length: degree }, (_, k) => data.map((row) => row[1]! ** (k + 1)));
    const { betas, intercept, rSquared } = fitRidge({
      y: centre(y),
      design: prepareRidge({ x, alpha: 0 }),
    });
    for (const [k, value] of [intercept, ...betas].entries())
      expectDigits(value, coefficients[k]!.estimate, digits, `B${k}`);
    expectDigits(rSquared!, certified.rSquared, digits, 'R²');
  });
});
