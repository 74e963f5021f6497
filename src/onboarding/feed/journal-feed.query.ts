import { type JobStatus, jobStatuses } from '../../../machines/protocol.ts';
import type { FeedEntry, JobSnapshot } from '../../contract/feed.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import {
  type JobRow,
  jobOf,
  type TransitionRow,
  transitionColumns,
  transitionOf,
} from '../queries/job.query.ts';
import { jobColumns } from '../queries/job-page-sql.ts';

/** What subscriptions name, normalised. */
export interface Named {
  everything: boolean;
  symbols: readonly string[];
  jobs: readonly string[];
  statuses: readonly JobStatus[];
}

/** The journal's part of the feed. */
export interface JournalFeed {
  /** The head of the feed, and its transitions after `position` up to `until`, ascending. */
  after(position: number): Promise<{ head: number; until: number; transitions: Transition[] }>;
  /** The last position of the feed, and the lowest position from which a client can resume. */
  head(options?: { on: Transaction }): Promise<{ position: number; floor: number }>;
  /**
   * The newest job of each symbol, the named jobs, and the newest `limit` jobs of each status. `truncated` lists the
   * statuses that have more.
   */
  actors(
    named: Named,
    options: { limit: number; on: Transaction },
  ): Promise<{ actors: JobSnapshot[]; truncated: JobStatus[] }>;
  /** Transitions of the named symbols, jobs and statuses in a range of positions, ascending, at most `limit`. */
  between(
    range: { after: number; until: number },
    named: Named,
    options: { limit: number; on: Transaction },
  ): Promise<Transition[]>;
}

type Transition = Extract<FeedEntry, { type: 'transition' }>;

const pageSize = 500;

export function journalFeed(database: Database): JournalFeed {
  return {
    async after(position) {
      const rows = await database.sql<TransitionRow & { head: string }>(afterSql, [position, pageSize], {
        prepared: true,
      });
      const head = Number(rows[0]!.head);
      const transitions = rows.filter((row) => row.position !== null).map(entryOf);
      return { head, until: Math.min(head, position + pageSize), transitions };
    },
    async head({ on } = {} as { on: Transaction }) {
      const [row] = await database.sql<{ position: string; floor: string }>(headSql, [], { on });
      return { position: Number(row!.position), floor: Number(row!.floor) };
    },
    async actors({ everything, symbols, jobs, statuses }, { limit, on }) {
      const wanted = everything ? [...new Set([...unfinished, ...statuses])] : statuses;
      const rows = await database.sql<
        JobRow & { actor_snapshot: JobSnapshot['actor_snapshot']; place: string }
      >(actorsSql, [symbols, jobs, wanted, limit + 1], { on });
      const beyond = rows.filter(({ place }) => Number(place) > limit);
      return {
        actors: [
          ...new Map(rows.filter((row) => !beyond.includes(row)).map((row) => [row.id, row])).values(),
        ].map((row) => ({ job: jobOf(row), actor_snapshot: row.actor_snapshot })),
        truncated: beyond.map(({ status }) => status),
      };
    },
    async between({ after, until }, { everything, symbols, jobs, statuses }, { limit, on }) {
      const parameters = [after, until, everything, symbols, jobs, statuses, limit];
      return (await database.sql<TransitionRow>(betweenSql, parameters, { on })).map(entryOf);
    },
  };
}

const entryOf = (row: TransitionRow): Transition => ({ type: 'transition', ...transitionOf(row) });

const unfinished = jobStatuses.filter((status) => status === 'pending' || status === 'processing');

const headSql = 'select position, floor from feed_head where id = 1';

// The left join returns at least one row, so the head is known even if nothing follows. Everything up to the head is
// committed. The second bound on `position` is for the planner, which has no statistics on an embedded database.
const afterSql = `
  select h.position as head, t.* from feed_head h
  left join lateral (
    select ${transitionColumns} from onboarding_transitions
    where position > $1::bigint and position <= least(h.position, $1::bigint + $2::int)
  ) t on true
  where h.id = 1 order by t.position`;

const actorsSql = `
  select ${jobColumns}, actor_snapshot, 0 as place from unnest($1::text[]) named cross join lateral (
    select * from onboarding_jobs where symbol = named order by id desc limit 1) newest
  union all
  select ${jobColumns}, actor_snapshot, 0 from onboarding_jobs where id = any($2::uuid[])
  union all
  select ${jobColumns}, actor_snapshot, place from unnest($3::text[]) wanted cross join lateral (
    select *, row_number() over (order by id desc) as place from onboarding_jobs where status = wanted
    order by id desc limit $4) newest`;

const betweenSql = `
  select ${transitionColumns} from onboarding_transitions
  where position > $1::bigint and position <= $2::bigint and ($3::boolean or symbol = any($4::text[])
    or job_id = any($5::uuid[]) or split_part(to_state, '.', 1) = any($6::text[])
    or split_part(from_state, '.', 1) = any($6::text[]))
  order by position limit $7`;
