import { keepCompiled } from './compile-cache.ts';
import { readConfig } from './config/config.ts';

const nodeMajorMin = 24; // strips types by itself, has WebSocket and JSON source access

export interface ServeOptions {
  json?: boolean;
  /** Told where it listens, once it does. */
  onListening?: (url: string) => void;
}

/**
 * Runs the service with the settings of an environment and stays until a signal: `npm start` and
 * `symbol-onboarding serve`.
 *
 * Exit status 0 after a clean stop, 1 when it could not start, when stopping failed, and at a second signal.
 * With `json` the line that tells where it listens is a JSON document, like the lines of the log beside it.
 */
export async function serve(
  environment: Record<string, string | undefined>,
  options: ServeOptions = {},
): Promise<void> {
  try {
    await start(environment, options);
  } catch (error) {
    fail(`Could not start: ${reasonOf(error)}`);
    // Whatever the failed start left open must not keep the process alive.
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
  // Loaded only now: wrong settings need no database driver.
  const { startApp } = await import('./app.ts');
  const stop = stopOnSignal(json ? () => {} : print);
  const app = await startApp(answer.config, {
    onFault: (fault) => {
      fail(`The service cannot go on: ${fault}`);
      stop.end();
      // Whoever waits for what is broken must not keep the process from ending.
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

const faultMarginMs = 2000; // to close what a grace does not wait for

// Ctrl-C reaches the whole terminal, and npm, npx and the launcher pass it on once more: one press, several signals.
const echoMs = 250;

/** Closes once at the first SIGTERM or SIGINT, also at one that comes while the start is under way. */
function stopOnSignal(report: (line: string) => void): {
  arm(close: () => Promise<void>): void;
  end(): void;
} {
  let signalledAt: number | null = null;
  let close: (() => Promise<void>) | null = null;
  const closeOnce = async (run: () => Promise<void>) => {
    report('Stopping: running phases may end, everything else is given back.');
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
    `Expected Node ${nodeMajorMin} or newer, got: ${process.versions.node}. \`npm ci\` installs it as the package ` +
    '`node`, and `npm start` uses it; `npm ci --ignore-scripts` leaves it out.'
  );
}

/** One line: the log has the rest. */
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
