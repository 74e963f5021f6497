import type { JobDetailView, JobView, OverviewView, SymbolStatusView } from '../contract/schemas.ts';
import { shown, table } from './render.ts';

export function statusTable(symbols: readonly SymbolStatusView[]): string[] {
  const rows = symbols.map(({ symbol, status, phase, progress, estimated_seconds: seconds, message }) => [
    shown(symbol),
    status,
    phase ?? '–',
    `${Math.round(progress * 100)} %`,
    seconds === null ? '–' : `${seconds} s`,
    shown(message),
  ]);
  return table(['symbol', 'status', 'phase', 'done', 'left', 'message'], rows);
}

export function jobsTable(jobs: readonly JobView[]): string[] {
  if (jobs.length === 0) return ['No jobs found.'];
  const rows = jobs.map(({ job_id, symbol, status, outcome, phase, attempt, error, created_at }) => [
    job_id,
    shown(symbol),
    outcome === 'partial' ? `${status}, partial` : status,
    phase,
    String(attempt),
    error === null ? '–' : shown(error.code),
    created_at,
  ]);
  return table(['job', 'symbol', 'status', 'phase', 'attempt', 'error', 'created'], rows);
}

/** A job with all its transitions. */
export function jobLines(job: JobDetailView): string[] {
  const { symbol, status, outcome, phase, attempt, node, error, retry_at: retryAt } = job;
  const rows = job.timeline.map(({ at, event, to, attempt: number, duration_ms: ms, error: failure }) => [
    at,
    shown(event),
    to,
    String(number),
    ms === null ? '–' : String(ms),
    failure === null ? '' : shown(`${failure.code}: ${failure.message}`),
  ]);
  return [
    `${shown(symbol)}: ${status}${outcome === null ? '' : ` (${outcome})`}, phase ${phase}, attempt ${attempt}`,
    ...(retryAt === null ? [] : [`Next retry: ${retryAt}`]),
    ...(node === null ? [] : [`Node: ${shown(node)}`]),
    ...(error === null ? [] : [shown(`${error.code}: ${error.message}`)]),
    '',
    ...table(['at', 'event', 'new state', 'attempt', 'ms before', 'error'], rows),
  ];
}

export function overviewLines({ paused, depth, limits, counts }: OverviewView): string[] {
  return [
    paused ? 'Onboarding is paused: no node starts jobs.' : 'Onboarding is running.',
    `${depth} of ${limits.depth} jobs are unfinished: ${counts.pending} pending, ${counts.processing} processing.`,
  ];
}
