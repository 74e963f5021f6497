import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { JobDetailView, JobView, TransitionView } from '../../src/contract/schemas.ts';

const root = join(import.meta.dirname, '../..');

interface RunOptions {
  parameters?: string[];
  /** A script of this folder that is loaded before the service. */
  preload?: string;
  /** Where to leave word that it is to be killed at the end: `afterAll` outside a test. */
  atEnd?: (end: () => Promise<void>) => void;
}

/** `npm start` as npm runs it, with no setting but these; killed at the end of the test in any case. */
export function run(
  settings: Record<string, string>,
  { parameters = [], preload, atEnd = onTestFinished }: RunOptions = {},
) {
  const { PATH = '', HOME = '' } = process.env;
  const preloads = preload ? ['--import', join(import.meta.dirname, preload)] : [];
  const main = [...preloads, join(root, 'src/main.ts'), ...parameters];
  const child = spawn(join(root, 'node_modules/.bin/node'), main, {
    env: { PATH, HOME, LOG_LEVEL: 'silent', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err]: [string[], string[]] = [[], []];
  const listening = Promise.withResolvers<string | null>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    out.push(line);
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url) listening.resolve(url);
  });
  createInterface({ input: child.stderr }).on('line', (line) => err.push(line));
  const closed = once(child, 'close').then(([code, signal]) => {
    listening.resolve(null);
    return { code: code as number | null, signal: signal as string | null, out, err };
  });
  atEnd(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  return {
    pid: child.pid!,
    closed,
    out,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Where it listens; rejects with what it said when it ends instead. */
    async url(): Promise<string> {
      const url = await listening.promise;
      if (url === null) throw new Error(`expected it to listen, got: ${[...out, ...err].join('\n')}`);
      return url;
    },
  };
}

/** Stops it like an operator; answers how it ended. */
export function stopped(service: ReturnType<typeof run>, signal: NodeJS.Signals = 'SIGTERM') {
  service.kill(signal);
  return service.closed;
}

export async function upload(url: string, csv: string): Promise<string> {
  const request = { method: 'POST', body: csv, headers: { 'content-type': 'text/csv' } };
  const response = await fetch(`${url}/portfolios?name=test`, request);
  const body = (await response.json()) as { portfolio_id: string };
  if (!response.ok) throw new Error(`expected 201 or 202, got: ${response.status} ${JSON.stringify(body)}`);
  return body.portfolio_id;
}

export async function read<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

export async function jobsOf(url: string): Promise<JobView[]> {
  return (await read<{ jobs: JobView[] }>(`${url}/onboarding/jobs?limit=100`)).jobs;
}

export async function details(url: string): Promise<JobDetailView[]> {
  const jobs = await jobsOf(url);
  return Promise.all(jobs.map(({ job_id }) => read<JobDetailView>(`${url}/onboarding/jobs/${job_id}`)));
}

/** Connects to `/ws`; `until` resolves with the first transition that makes it true, told all so far. */
export async function watch(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const seen: TransitionView[] = [];
  const live = Promise.withResolvers<void>();
  let look = () => {};
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as { type: string } & TransitionView;
    if (frame.type === 'live') live.resolve();
    if (frame.type === 'transition') seen.push(frame);
    look();
  });
  onTestFinished(() => socket.close());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', subscriptions: [{ id: 'all', everything: true }] }));
  await live.promise;
  return {
    seen,
    until: (isSo: (seen: TransitionView[]) => boolean | Promise<boolean>) =>
      new Promise<void>((resolve, reject) => {
        look = () =>
          void Promise.resolve(isSo(seen)).then((yes) => {
            if (yes) resolve();
          }, reject);
        look();
      }),
  };
}

const rest = new Set(['completed', 'failed', 'cancelled']);

/** Resolves once no job is unfinished. */
export async function allEnded(url: string): Promise<void> {
  const { until } = await watch(url);
  await until(async (seen) => {
    const last = seen.at(-1);
    if (last && !rest.has(last.status)) return false;
    return (await jobsOf(url)).every(({ status }) => rest.has(status));
  });
}
