import type { Database } from '../database/database.orm.ts';
import type { Clock } from '../kernel/clock.ts';
import { inBatches } from '../kernel/in-batches.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import type { ReconcilerStore, ShownClaim } from '../onboarding/upkeep/reconciler.store.ts';
import type { LaggingStore } from '../portfolio/lagging-snapshots.store.ts';

/** What can be wrong, as `onboarding_reconciler_findings_total` and the diagnosis name it. */
export const findingKinds = ['lost_job', 'idle_entry', 'stranded_claim', 'lagging_portfolio'] as const;
export type FindingKind = (typeof findingKinds)[number];
export type Found = Partial<Record<FindingKind, number>>;

export interface ReconcilerParts {
  database: Database;
  reconciler: ReconcilerStore;
  lagging: LaggingStore;
  clock: Clock;
  /** The claims on which this node works. */
  held: () => readonly { claim: { jobId: string; epoch: number } }[];
  onFound: (kind: FindingKind, count: number) => void;
  /** Told what was wrong, once it is mended. */
  log: (error: unknown) => void;
}

/**
 * Finds and mends what only a mistake of ours or a restored backup leaves behind. Whatever it does is checked again
 * under the locks that everybody takes, so several nodes may look at once and one of them mends.
 */
export function reconcilerOf(parts: ReconcilerParts) {
  const told = async (found: Found) => {
    for (const [kind, count] of Object.entries(found))
      if (count > 0) parts.onFound(kind as FindingKind, count);
    await remember(parts, found);
  };
  let strange: ReadonlySet<string> = new Set();
  return {
    /** Jobs without an entry, entries without a job, claims of this node that nothing here works on. */
    async queue(): Promise<void> {
      const { reconciler } = parts;
      const seen = await reconciler.findings();
      const wrong = seen.lost.length + seen.idle.length > 0;
      const mended = wrong ? await reconciler.mend() : seen;
      // A claim that is being taken, or has just ended, looks like one that nothing works on: only once.
      const unheld = await notHeld(parts);
      const stranded = unheld.filter((claim) => strange.has(keyOf(claim)));
      strange = new Set(unheld.map(keyOf));
      if (stranded.length > 0) await reconciler.abandon(stranded);
      await told({
        lost_job: mended.lost.length,
        idle_entry: mended.idle.length,
        stranded_claim: stranded.length,
      });
    },
    /** Portfolios whose snapshot lacks what the universe knows, batch by batch. */
    async portfolios(batch: number, signal: AbortSignal): Promise<void> {
      const { lagging, clock } = parts;
      let count = 0;
      const recomputeNext = async (after: string | null) => {
        const { lagging: ids, last } = await lagging.findLagging(after, batch);
        if (ids.length > 0) count += await lagging.recompute(ids, lastNewYorkSession(clock.now()));
        return last;
      };
      await inBatches(recomputeNext, { clock, signal });
      await told({ lagging_portfolio: count });
    },
  };
}

const keyOf = ({ jobId, epoch }: { jobId: string; epoch: number }) => `${jobId} ${epoch}`;

async function notHeld({ reconciler, held }: ReconcilerParts): Promise<ShownClaim[]> {
  const shown = await reconciler.claims();
  const worked = new Set(held().map(({ claim }) => keyOf(claim)));
  return shown.filter((claim) => !worked.has(keyOf(claim)));
}

/** When somebody last looked, and when something was last found: for the diagnosis, on every node. */
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
