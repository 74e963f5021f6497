import type { Database } from '../database/database.orm.ts';
import type { Clock } from '../kernel/clock.ts';
import { inBatches } from '../kernel/in-batches.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import type { ReconcilerStore, ShownClaim } from '../onboarding/upkeep/reconciler.store.ts';
import type { LaggingStore } from '../portfolio/lagging-snapshots.store.ts';

/** The kinds of problems, as named in `onboarding_reconciler_findings_total` and in the diagnosis. */
export const findingKinds = ['lost_job', 'idle_entry', 'stranded_claim', 'lagging_portfolio'] as const;
export type FindingKind = (typeof findingKinds)[number];
export type Found = Partial<Record<FindingKind, number>>;

export interface ReconcilerParts {
  database: Database;
  reconciler: ReconcilerStore;
  lagging: LaggingStore;
  clock: Clock;
  /** The claims that this node is working on. */
  held: () => readonly { claim: { jobId: string; epoch: number } }[];
  onFound: (kind: FindingKind, count: number) => void;
  /** Called with what was wrong, once it is repaired. */
  log: (error: unknown) => void;
}

/**
 * Finds and repairs inconsistencies that only a bug or a restored backup can cause. Each repair checks its condition
 * again under the lock that all writers take. So several nodes may run this at once, and only one makes each repair.
 */
export function reconcilerOf(parts: ReconcilerParts) {
  const report = async (found: Found) => {
    for (const [kind, count] of Object.entries(found))
      if (count > 0) parts.onFound(kind as FindingKind, count);
    await remember(parts, found);
  };
  let suspects: ReadonlySet<string> = new Set();
  return {
    /** Repairs jobs without an entry, entries without a job, and claims of this node that nothing here works on. */
    async queue(): Promise<void> {
      const { reconciler } = parts;
      const seen = await reconciler.findings();
      const wrong = seen.lost.length + seen.idle.length > 0;
      const repaired = wrong ? await reconciler.repair() : seen;
      // A claim that was just taken or has just ended may look abandoned once. If it still does in the next run, it is.
      const idle = await idleClaims(parts);
      const stranded = idle.filter((claim) => suspects.has(keyOf(claim)));
      suspects = new Set(idle.map(keyOf));
      if (stranded.length > 0) await reconciler.releaseStranded(stranded);
      await report({
        lost_job: repaired.lost.length,
        idle_entry: repaired.idle.length,
        stranded_claim: stranded.length,
      });
    },
    /** Recomputes snapshots that lack data that the universe already has, batch by batch. */
    async portfolios(batch: number, signal: AbortSignal): Promise<void> {
      const { lagging, clock } = parts;
      let count = 0;
      const recomputeNext = async (after: string | null) => {
        const { lagging: ids, last } = await lagging.findLagging(after, batch);
        if (ids.length > 0) count += await lagging.recompute(ids, lastNewYorkSession(clock.now()));
        return last;
      };
      await inBatches(recomputeNext, { clock, signal });
      await report({ lagging_portfolio: count });
    },
  };
}

const keyOf = ({ jobId, epoch }: { jobId: string; epoch: number }) => `${jobId} ${epoch}`;

async function idleClaims({ reconciler, held }: ReconcilerParts): Promise<ShownClaim[]> {
  const shown = await reconciler.claims();
  const active = new Set(held().map(({ claim }) => keyOf(claim)));
  return shown.filter((claim) => !active.has(keyOf(claim)));
}

/** Stores the time of the last run and of the last finding, so that the diagnosis of any node can show them. */
async function remember({ database, log }: ReconcilerParts, found: Found): Promise<void> {
  const wrong = Object.entries(found).filter(([, count]) => count > 0);
  if (wrong.length > 0) log(new Error(`reconciled: ${wrong.map(([kind, n]) => `${kind} ${n}`).join(', ')}`));
  await database.sql(
    `insert into service_state as s (key, value)
     values ('reconciler', jsonb_build_object('looked_at', now())
       || case when $1::jsonb = '{}' then '{}' else jsonb_build_object('found_at', now(), 'found', $1::jsonb) end)
     on conflict (key) do update set value = s.value || excluded.value`,
    [JSON.stringify(Object.fromEntries(wrong))],
  );
}
