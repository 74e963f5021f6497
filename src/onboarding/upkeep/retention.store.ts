import { onOneNode } from '../../database/advisory-locks.ts';
import type { Database } from '../../database/database.orm.ts';

/** How much of the journal is kept: what is younger, and of that the newest rows. */
export interface Retention {
  /** Transitions before this moment, epoch milliseconds, may go. */
  since: number;
  /** Of the others no more than this many stay. */
  rows: number;
}

export interface RetentionStore {
  /**
   * Raises the feed's floor to where the retention begins, and only then anything is deleted: whoever reads rows and
   * the floor in one statement knows whether one is missing. Answers the floor, or null while another node is at it.
   */
  raiseFloor(retention: Retention): Promise<number | null>;
  /**
   * Deletes the journals of jobs that ended at or below the floor, out of the next rows after `after`. Answers where to
   * go on, null at the end. A journal goes whole or not at all, so a timeline never has a hole; that of an unfinished
   * job stays, however old it is.
   */
  prune(floor: number, after: number): Promise<number | null>;
}

export interface RetentionSizes {
  /** Positions looked at in one statement while counting. */
  slice: number;
  /** Journal rows in one transaction. */
  batch: number;
}

// Both are statements of a few milliseconds, on an embedded database too.
const sizesDefault: RetentionSizes = { slice: 10_000, batch: 500 };

export function retentionStore(database: Database, sizes: RetentionSizes = sizesDefault): RetentionStore {
  return {
    async raiseFloor({ since, rows }) {
      const head = await headOf(database);
      const byAge = await lastBefore(database, since);
      const floor = Math.max(head.floor, byAge, await belowNewest(database, head, rows, sizes.slice));
      if (floor === head.floor) return floor;
      return onOneNode(database, 'pruneJournal', async (on) => {
        const [raised] = await database.sql<{ floor: string }>(
          'update feed_head set floor = greatest(floor, $1::bigint) where id = 1 returning floor',
          [floor],
          { on },
        );
        return Number(raised!.floor);
      });
    },
    prune: (floor, after) =>
      onOneNode(database, 'pruneJournal', async (on) => {
        const seen = await database.sql<{ job_id: string; position: string }>(
          `select job_id, position from onboarding_transitions where position > $1 and position <= $2
           order by position limit $3`,
          [after, floor, sizes.batch],
          { on },
        );
        if (seen.length === 0) return null;
        const jobs = [...new Set(seen.map(({ job_id: id }) => id))].sort();
        await database.sql(pruneSql, [jobs, floor], { on });
        return Number(seen.at(-1)!.position);
      }),
  };
}

interface Head {
  position: number;
  floor: number;
}

async function headOf(database: Database): Promise<Head> {
  const [row] = await database.sql<{ position: string; floor: string }>(
    'select position, floor from feed_head where id = 1',
  );
  return { position: Number(row!.position), floor: Number(row!.floor) };
}

async function lastBefore(database: Database, since: number): Promise<number> {
  const [row] = await database.sql<{ position: string }>(
    'select position from onboarding_transitions where at < $1::timestamptz order by at desc limit 1',
    [new Date(since).toISOString()],
  );
  return Number(row?.position ?? 0);
}

// Not every position is a transition: a changed portfolio takes one too. So rows are counted, from the newest on, but
// only where there are positions enough.
async function belowNewest(
  database: Database,
  { position, floor }: Head,
  rows: number,
  slice: number,
): Promise<number> {
  let kept = 0;
  for (let to = position; position - floor > rows && to > floor; to -= slice) {
    const from = Math.max(floor, to - slice);
    const [row] = await database.sql<{ n: number; last: string | null }>(
      `select count(*)::int as n, min(position) filter (where place = $3) as last
       from (select position, row_number() over (order by position desc) as place
         from onboarding_transitions where position > $1 and position <= $2) newest`,
      [from, to, rows - kept + 1],
    );
    if (row!.last !== null) return Number(row!.last);
    kept += row!.n;
  }
  return 0;
}

// A retry takes the job's row too: it finds the journal whole, or gone.
const pruneSql = `
  with due as (
    select id from onboarding_jobs j
    where id = any($1::uuid[]) and status not in ('pending', 'processing')
      and not exists (select from onboarding_transitions t where t.job_id = j.id and t.position > $2)
    order by id for no key update of j
  )
  delete from onboarding_transitions t using due where t.job_id = due.id`;
