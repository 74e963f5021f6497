import { onOneNode } from '../../database/advisory-locks.ts';
import type { Database } from '../../database/database.orm.ts';

/** How much of the journal is kept: the newest rows, up to a maximum age and a maximum number. */
export interface Retention {
  /** Transitions before this moment, epoch milliseconds, may be deleted. */
  since: number;
  /** The maximum number of the other transitions to keep. */
  rows: number;
}

export interface RetentionStore {
  /**
   * Raises the feed's floor to the first position within the retention, before any row is deleted. So a reader that
   * reads rows and floor in one statement knows whether rows are missing. Returns the floor, or null while another node
   * prunes.
   */
  raiseFloor(retention: Retention): Promise<number | null>;
  /**
   * Looks at the next batch of rows after `after`, and deletes the journals of jobs that ended at or below the floor.
   * Returns the cursor of the next batch, null at the end. A journal is deleted as a whole, so a timeline never has a
   * gap. The journal of an unfinished job stays, however old it is.
   */
  prune(floor: number, after: number): Promise<number | null>;
}

export interface RetentionSizes {
  /** Positions that one statement counts. */
  slice: number;
  /** Journal rows in one transaction. */
  batch: number;
}

// With both sizes a statement takes a few milliseconds, on an embedded database too.
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

// Not every position is a transition: changed portfolios take positions too. So rows must be counted, from the newest
// down. This is skipped if there are not even that many positions.
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

// A retry locks the job's row too, so it finds the journal either complete or deleted.
const pruneSql = `
  with due as (
    select id from onboarding_jobs j
    where id = any($1::uuid[]) and status not in ('pending', 'processing')
      and not exists (select from onboarding_transitions t where t.job_id = j.id and t.position > $2)
    order by id for no key update of j
  )
  delete from onboarding_transitions t using due where t.job_id = due.id`;
