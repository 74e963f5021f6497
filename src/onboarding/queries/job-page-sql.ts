import { jobStatuses } from '../../../machines/protocol.ts';
import type { JobsQuery } from '../../contract/schemas.ts';

/** The columns of a job without its actor snapshot: up to 2 kB, shown only for a single job. */
export const jobColumns = `id, symbol, reason, status, outcome, state, phase, attempt, retry_at, waited_ms, resumes,
  sequence, node, error_code, error_message, error_phase, cancel_requested_at, created_at, started_at, finished_at,
  updated_at`;

/**
 * The statement that reads a page of jobs, newest first, plus one more row that shows whether another page follows.
 *
 * An index that ends with the id returns rows in page order, so a page reads only its own rows, however large the table
 * is. This works for one value at a time. Several statuses are therefore one index scan each, merged by `union all`;
 * `status = any(…) order by id` would read and sort all jobs with one of these statuses.
 *
 *     jobsSql({ status: ['failed'], limit: 50 }).parameters   // [51, 'failed']
 */
export function jobsSql(query: JobsQuery): { text: string; parameters: unknown[] } {
  const parameters: unknown[] = [];
  const bind: Bind = (value) => `$${parameters.push(value)}`;
  const limit = bind(query.limit + 1);
  const page = (from: string, conditions: readonly string[]) =>
    `${select(from, conditions)} order by id desc limit ${limit}`;
  const ids = idConditions(query, bind);
  const values = valueConditions(query, bind);
  const statuses = [...new Set(query.status ?? [])];
  const some = statuses.length > 0 && statuses.length < jobStatuses.length;
  if (query.portfolio_id !== undefined) {
    const own = some ? [`status = any(${bind(statuses)}::text[])`] : [];
    return { text: page(jobsOfPortfolio(query.portfolio_id, ids, bind), [...values, ...own]), parameters };
  }
  if (!some) return { text: page('onboarding_jobs', [...ids, ...values]), parameters };
  const branches = statuses.map((status) =>
    page('onboarding_jobs', [...ids, ...values, `status = ${bind(status)}`]),
  );
  const text = branches.length === 1 ? branches[0]! : page(`((${branches.join(') union all (')})) jobs`, []);
  return { text, parameters };
}

type Bind = (value: unknown) => string;

function select(from: string, conditions: readonly string[]): string {
  const where = conditions.length > 0 ? ` where ${conditions.join(' and ')}` : '';
  return `select ${jobColumns} from ${from}${where}`;
}

// A symbol has few jobs. `offset 0` is an optimisation fence: without it the planner reads all jobs of a status for each
// symbol.
function jobsOfPortfolio(portfolioId: string, ids: readonly string[], bind: Bind): string {
  return `(select distinct needs_symbol from positions where portfolio_id = ${bind(portfolioId)}::uuid
      and exit_date is null and needs_symbol is not null) needed
    cross join lateral (${select('onboarding_jobs', ['symbol = needs_symbol', ...ids])} offset 0) own`;
}

function valueConditions(query: JobsQuery, bind: Bind): string[] {
  const { created_from, created_to } = query;
  const equal = (['symbol', 'outcome', 'error_code', 'reason'] as const)
    .filter((column) => query[column] !== undefined)
    .map((column) => `${column} = ${bind(query[column])}`);
  const moment = (text: string) => `${bind(new Date(text).toISOString())}::timestamptz`;
  return [
    ...equal,
    ...(created_from === undefined ? [] : [`created_at >= ${moment(created_from)}`]),
    ...(created_to === undefined ? [] : [`created_at < ${moment(created_to)}`]),
  ];
}

/** Conditions on the UUIDv7 id: the cursor of the page, and a rough time range. */
function idConditions({ cursor, created_from, created_to }: JobsQuery, bind: Bind): string[] {
  const first = (ms: number) => `${bind(firstIdAt(ms))}::uuid`;
  return [
    ...(cursor === undefined ? [] : [`id < ${bind(cursor)}::uuid`]),
    ...(created_from === undefined ? [] : [`id >= ${first(Date.parse(created_from) - clockSkewMaxMs)}`]),
    ...(created_to === undefined ? [] : [`id < ${first(Date.parse(created_to) + clockSkewMaxMs)}`]),
  ];
}

// A job's id has the time of a node's clock, `created_at` that of the database. The bound on the id therefore allows for
// this much clock skew; `created_at` decides.
const clockSkewMaxMs = 3_600_000;

/** The smallest UUIDv7 of this millisecond. */
function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
