/** The currency behind a quote unit, and the decimal shift of its quotes. */
export interface MajorUnit {
  currency: string;
  /** `price in major currency = quote x 10^-places`. */
  places: number;
}

// Case matters: `GBP` is pounds, `GBp` pence.
const minorUnits: Record<string, MajorUnit> = {
  GBp: { currency: 'GBP', places: 2 },
  GBX: { currency: 'GBP', places: 2 },
  ZAc: { currency: 'ZAR', places: 2 },
  ILA: { currency: 'ILS', places: 2 },
};

/**
 * The major currency of a quote unit. Pence, South African cents and agorot are hundredths; others are major already.
 */
export function majorUnit(quoteUnit: string): MajorUnit {
  return minorUnits[quoteUnit] ?? { currency: quoteUnit, places: 0 };
}
