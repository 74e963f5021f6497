import { keepCompiled } from './compile-cache.ts';
import { readConfig } from './config/config.ts';

const nodeMajorMin = 24; // type stripping, WebSocket, JSON source text access

export interface ServeOptions {
  json?: boolean;
  /** Called with the URL when the service listens. */
  onListening?: (url: string) => void;
}

/**
 * Runs the service with the settings of an environment until a signal: `npm start` and `symbol-onboarding serve`.
 *
 * Exit status 0 after a clean stop; 1 if it could not start, if stopping failed, or after a second signal. With `json` the
 * line with the URL is a JSON document, like the lines of the log.
 */
export async function serve(
  environment: Record<string, string | undefined>,
  options: ServeOptions = {},
): Promise<void> {
  try {
    await start(environment, options);
  } catch (error) {
    fail(`Could not start: ${reasonOf(error)}`);
    // Resources of the failed start must not keep the process alive.
    process.exit(1);
  }
}

async function start(
  environment: Record<string, string | undefined>,
  { json = false, onListening = () => {} }: ServeOptions,
): Promise<void> {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < nodeMajorMin) return fail(nodeTooOld());
  const answer = readConfig(environment);
  if ('problems' in answer) return fail(...answer.problems.map(({ message }) => message));

  keepCompiled();
  // Loaded after the settings are checked, because it loads the database driver.
  const { startApp } = await import('./app.ts');
  const stop = stopOnSignal(json ? () => {} : print);
  const app = await startApp(answer.config, {
    onFault: (fault) => {
      fail(`The service has to stop: ${fault}`);
      stop.end();
      // A broken resource must not keep the process from ending.
      setTimeout(() => process.exit(1), answer.config.shutdownGraceMs + faultMarginMs).unref();
    },
  });
  stop.arm(() => app.close());
  onListening(app.url);
  const simulated = answer.config.marketData.providers.includes('simulated');
  if (json) return print(JSON.stringify({ type: 'listening', url: app.url, pid: process.pid, simulated }));
  print(`Symbol onboarding is at ${app.url}`);
  if (simulated) print('The market is SIMULATED: prices, exposures and totals are invented.');
}

const faultMarginMs = 2000; // to close everything after the grace period

// Ctrl-C signals all processes of a terminal, and npm, npx and the launcher forward it: one key press, several signals.
const echoMs = 250;

/** Closes once at the first SIGTERM or SIGINT, also during the start. */
function stopOnSignal(report: (line: string) => void): {
  arm(close: () => Promise<void>): void;
  end(): void;
} {
  let signalledAt: number | null = null;
  let close: (() => Promise<void>) | null = null;
  const closeOnce = async (run: () => Promise<void>) => {
    report('Stopping. Running phases may finish; other jobs are released.');
    try {
      await run();
      report('Stopped.');
      process.exit(process.exitCode ?? 0);
    } catch (error) {
      fail(`Stopping failed: ${reasonOf(error)}`);
      process.exit(1);
    }
  };
  const end = () => {
    signalledAt = performance.now();
    if (close) void closeOnce(close);
  };
  const onSignal = () => {
    if (signalledAt === null) end();
    else if (performance.now() - signalledAt > echoMs) process.exit(1);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    arm(run) {
      close = run;
      if (signalledAt !== null) void closeOnce(run);
    },
    end,
  };
}

function nodeTooOld(): string {
  return (
    `Node ${process.versions.node} is too old: Node ${nodeMajorMin} or newer is required. ` +
    'Run `npm ci` without --ignore-scripts: it installs the package `node`, which `npm start` uses.'
  );
}

/** The first line of the message; the log has the rest. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] || 'unknown reason';
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(...lines: string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}
