import type { PortfolioView } from '../contract/schemas.ts';

/** How many lots a portfolio has of each kind. */
export interface CountsRow {
  lots: number;
  pending_count: number;
  public_count: number;
  priced_public: number;
  priced: number;
  incomplete: number;
}

/** Pending, error, partial or ready: SPEC section 7. Options and private holdings do not make it partial. */
export function statusOf({
  pending_count,
  public_count,
  priced_public,
  incomplete,
}: CountsRow): PortfolioView['status'] {
  if (pending_count > 0) return 'pending';
  if (public_count > 0 && priced_public === 0) return 'error';
  return incomplete > 0 ? 'partial' : 'ready';
}
