import type { z } from 'zod';
import type {
  cancellationSchema,
  JobDetailView,
  JobView,
  jobsSchema,
  OverviewView,
  symbolStatusesSchema,
} from '../contract/schemas.ts';
import type { Answer, Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { jobLines, jobsTable, overviewLines, statusTable } from './job-tables.ts';
import { shown } from './render.ts';

const statusesMax = 200; // limit of the service

/** `status SYMBOL…` */
export async function status({ client }: Context, symbols: readonly string[]): Promise<Answer> {
  const answers: z.infer<typeof symbolStatusesSchema>['symbols'] = [];
  for (let from = 0; from < symbols.length; from += statusesMax) {
    const query = new URLSearchParams({ symbols: symbols.slice(from, from + statusesMax).join(',') });
    const { body } = await client.get<z.infer<typeof symbolStatusesSchema>>(`/symbols/status?${query}`);
    answers.push(...body.symbols);
  }
  return { document: { symbols: answers }, lines: statusTable(answers) };
}

export interface JobsOptions {
  status?: string;
  symbol?: string;
  outcome?: string;
  errorCode?: string;
  portfolio?: string;
  limit?: number;
  all?: boolean;
}

const pageMax = 500;

/** `jobs`: one page, or all jobs with `all`. */
export async function jobs({ client }: Context, options: JobsOptions): Promise<Answer> {
  const { all = false, limit = all ? pageMax : undefined } = options;
  const wanted = {
    status: options.status,
    symbol: options.symbol,
    outcome: options.outcome,
    error_code: options.errorCode,
    portfolio_id: options.portfolio,
    limit: limit?.toString(),
  };
  const named = Object.entries(wanted).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const found: JobView[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams(named);
    if (cursor !== null) query.set('cursor', cursor);
    const page: z.infer<typeof jobsSchema> = (
      await client.get<z.infer<typeof jobsSchema>>(`/onboarding/jobs?${query}`)
    ).body;
    found.push(...page.jobs);
    cursor = page.next_cursor;
  } while (all && cursor !== null);
  const more = cursor === null ? [] : ['  and older jobs; --all shows all of them.'];
  return { document: { jobs: found, next_cursor: cursor }, lines: [...jobsTable(found), ...more] };
}

/** `jobs JOB`: one job with its timeline. */
export async function job(context: Context, jobOrSymbol: string): Promise<Answer> {
  const id = await idOf(context, jobOrSymbol);
  const { body } = await context.client.get<JobDetailView>(`/onboarding/jobs/${id}`);
  return { document: body, lines: jobLines(body) };
}

export async function retry(context: Context, jobOrSymbol: string): Promise<Answer> {
  const id = await idOf(context, jobOrSymbol);
  const { body } = await context.client.post<JobDetailView>(`/onboarding/jobs/${id}/retry`);
  const lines = [`Retrying ${shown(body.symbol)} at phase ${body.phase}: job ${id}`];
  return { document: body, lines };
}

export async function cancel(context: Context, jobOrSymbol: string): Promise<Answer> {
  const id = await idOf(context, jobOrSymbol);
  type Cancelled = z.infer<typeof cancellationSchema>;
  const { body } = await context.client.post<Cancelled>(`/onboarding/jobs/${id}/cancel`);
  const requested = 'Cancellation requested; the command jobs shows when the job has ended:';
  return { document: body, lines: [`${body.status === 'cancelled' ? 'Cancelled:' : requested} ${id}`] };
}

export async function setPaused({ client }: Context, paused: boolean): Promise<Answer> {
  const { body } = await client.post<OverviewView>(`/onboarding/${paused ? 'pause' : 'resume'}`);
  return { document: body, lines: overviewLines(body) };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of a job, given by id or as the newest of a symbol. */
async function idOf({ client }: Context, jobOrSymbol: string): Promise<string> {
  if (uuid.test(jobOrSymbol)) return jobOrSymbol;
  const query = new URLSearchParams({ symbol: jobOrSymbol, limit: '1' });
  const { body } = await client.get<z.infer<typeof jobsSchema>>(`/onboarding/jobs?${query}`);
  const [newest] = body.jobs;
  if (newest) return newest.job_id;
  throw new CommandFailure(
    exitCodes.refused,
    'job_not_found',
    `No job found for "${shown(jobOrSymbol)}". Use the id of a job, or a symbol that has one.`,
  );
}
