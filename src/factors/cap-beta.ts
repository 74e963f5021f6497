const betaCap = 5; // a larger one says more about a short or broken series than about risk

/** A beta within ±5, as the totals use it. The raw one is stored beside it. */
export const capBeta = (rawBeta: number): number => Math.min(betaCap, Math.max(-betaCap, rawBeta));
