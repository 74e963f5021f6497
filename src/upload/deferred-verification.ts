import { makeProblem, type Problem } from '../contract/row-problems.ts';
import type { Verdict } from '../market/provider.ts';
import type { Lot } from '../portfolio/lots.ts';

/**
 * The warnings that symbols are taken on trust: nobody could verify them now, so their jobs will. One per symbol, at
 * the first row that needs it.
 */
export function deferredWarnings(lots: readonly Lot[], verdicts: readonly Verdict[]): Problem[] {
  const reasons = new Map(
    verdicts.flatMap((one) => (one.verdict === 'unverifiable' ? [[one.symbol, one.reason] as const] : [])),
  );
  const warnings: Problem[] = [];
  for (const { needs, line } of lots) {
    const reason = needs === null ? undefined : reasons.get(needs);
    if (needs === null || reason === undefined) continue;
    reasons.delete(needs);
    const mend = `${reason}. Its job asks again; should ${needs} not exist, the job fails and says so.`;
    warnings.push(makeProblem('WARN_SYM_001', { line, value: needs }, mend));
  }
  return warnings;
}
