import { makeRowProblem, type RowProblem } from '../contract/row-problems.ts';
import type { Verdict } from '../market/provider.ts';
import type { Lot } from '../portfolio/lots.ts';

/**
 * Warnings about symbols that could not be verified now and will be by their jobs. One per symbol, at the first row that
 * needs it.
 */
export function deferredWarnings(lots: readonly Lot[], verdicts: readonly Verdict[]): RowProblem[] {
  const reasons = new Map(
    verdicts.flatMap((one) => (one.verdict === 'unverifiable' ? [[one.symbol, one.reason] as const] : [])),
  );
  const warnings: RowProblem[] = [];
  for (const { needs, line } of lots) {
    const reason = needs === null ? undefined : reasons.get(needs);
    if (needs === null || reason === undefined) continue;
    reasons.delete(needs);
    const fix = `${reason}. Its job will verify it. If ${needs} does not exist, the job fails.`;
    warnings.push(makeRowProblem('WARN_SYM_001', { line, value: needs }, fix));
  }
  return warnings;
}
