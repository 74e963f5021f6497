import Big from 'big.js';
import type { z } from 'zod';
import type { portfolioExposuresSchema } from '../contract/schemas.ts';
import { factors, readingNotes } from '../factors/factor-catalog.ts';
import { minorDigits } from '../market/currency.ts';

/** Sums over the priced lots, as unrounded decimals; null if there is nothing to sum. */
export interface FactorSums {
  factor: string;
  /** Of all priced lots, cash included. */
  net: string | null;
  gross: string | null;
  /** Signed value x beta: over measured rows, and over placeholders. */
  measured: string | null;
  assumed: string | null;
  measured_net: string | null;
  full_gross: string | null;
  limited_gross: string | null;
  default_gross: string | null;
  /** The oldest calculation date. */
  oldest: string | null;
}

type View = z.infer<typeof portfolioExposuresSchema>;

const nearZero = '0.1'; // of gross: below it, beta over net value describes the hedge more than the market
const shareDigits = 6;

// Quotients are truncated far after the last published digit, so that nothing is rounded twice.
const Quotient = Big();
Quotient.DP = 40;
Quotient.RM = Big.roundDown;

/**
 * A portfolio's exposure to each factor: SPEC section 7. Money is summed exactly and rounded once, half away from zero,
 * to the currency's minor digits. Betas use the unrounded sums. Without a priced lot there are no rows.
 */
export function exposuresOf({
  portfolioId,
  baseCurrency,
  rows,
}: {
  portfolioId: string;
  baseCurrency: string;
  rows: readonly FactorSums[];
}): View {
  const { net = null, gross = null } = rows[0] ?? {};
  const money = (amount: Big) => fixed(amount, minorDigits(baseCurrency));
  const oldest = rows.flatMap((row) => row.oldest ?? []).sort();
  return {
    portfolio_id: portfolioId,
    base_currency: baseCurrency,
    gross_value: gross === null ? null : money(Big(gross)),
    net_value: net === null ? null : money(Big(net)),
    oldest_calculation_date: oldest[0] ?? null,
    exposures: gross === null ? [] : rows.map((row) => exposureOf(row, money)),
    notes,
  };
}

const notes = [
  ...readingNotes,
  'Assumed exposures come from labelled placeholders, not from measurements; no beta includes them.',
  'Lots without a price, options and private holdings are left out; cash counts only in the shares.',
];

function exposureOf(row: FactorSums, money: (amount: Big) => string): View['exposures'][number] {
  const { group } = factors.find(({ id }) => id === row.factor)!;
  const measured = amount(row.measured);
  const net = amount(row.measured_net);
  const gross = amount(row.full_gross).plus(amount(row.limited_gross));
  const reason = gross.eq(0)
    ? 'nothing_measured'
    : net.abs().lt(gross.times(nearZero))
      ? 'net_near_zero'
      : null;
  return {
    factor: row.factor,
    group,
    dollar_exposure: money(measured),
    assumed_dollar_exposure: money(amount(row.assumed)),
    measured_gross_value: money(gross),
    measured_net_value: money(net),
    beta_gross: gross.eq(0) ? null : quotient(measured, gross),
    beta_net: reason === null ? quotient(measured, net) : null,
    beta_net_reason: reason,
    gross_shares: sharesOf(row),
  };
}

function sharesOf(row: FactorSums): View['exposures'][number]['gross_shares'] {
  const total = amount(row.gross);
  const share = (part: Big) => (total.eq(0) ? '0' : fixed(new Quotient(part).div(total), shareDigits));
  const [full, limited, placeholder] = [row.full_gross, row.limited_gross, row.default_gross].map(amount);
  return {
    full_history: share(full!),
    limited_history: share(limited!),
    default: share(placeholder!),
    not_applicable: share(total.minus(full!).minus(limited!).minus(placeholder!)),
  };
}

const amount = (decimal: string | null): Big => Big(decimal ?? 0);

/** A beta, as a double like those of a symbol. */
const quotient = (dividend: Big, divisor: Big): number =>
  Number(new Quotient(dividend).div(divisor).toFixed());

function fixed(value: Big, decimals: number): string {
  const rounded = value.round(decimals, Big.roundHalfUp);
  // big.js keeps the sign of a negative zero: -0.004 would be '-0.00'.
  return (rounded.eq(0) ? Big(0) : rounded).toFixed(decimals);
}
