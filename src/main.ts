import { keepCompiled } from './compiled.ts';
import { helpText, readConfig } from './config.ts';

const nodeMajorMin = 24; // strips types by itself, has WebSocket and JSON source access

/**
 * Starts the service and stays until a signal.
 *
 * Exit status 0 after a clean stop, 1 when it could not start, when stopping failed, and at a second signal.
 */
async function main(): Promise<void> {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < nodeMajorMin) return fail(nodeCure());
  if (process.argv.includes('--help') || process.argv.includes('-h')) return print(helpText());

  const answer = readConfig(process.env);
  if ('problems' in answer) return fail(...answer.problems.map(({ message }) => message));

  keepCompiled();
  // Loaded only now: --help and wrong settings need no database driver.
  const { startApp } = await import('./app.ts');
  const stop = stopOnSignal();
  const app = await startApp(answer.config, {
    onFault: (fault) => {
      fail(`The supervisor gave up: ${fault}`);
      stop.end();
    },
  });
  stop.arm(() => app.close());
  print(`Symbol onboarding is at ${app.url}`);
  if (answer.config.marketData.providers.includes('simulated')) {
    print('The market is SIMULATED: prices, exposures and totals are invented.');
  }
}

/** Closes once at the first SIGTERM or SIGINT, also at one that comes while the start is under way. */
function stopOnSignal(): { arm(close: () => Promise<void>): void; end(): void } {
  let signalled = false;
  let close: (() => Promise<void>) | null = null;
  const closeOnce = async (run: () => Promise<void>) => {
    print('Stopping: running phases may end, everything else is given back.');
    try {
      await run();
      print('Stopped.');
      process.exit(process.exitCode ?? 0);
    } catch (error) {
      fail(`Stopping failed: ${reasonOf(error)}`);
      process.exit(1);
    }
  };
  const end = () => {
    signalled = true;
    if (close) void closeOnce(close);
  };
  const onSignal = () => {
    if (signalled) process.exit(1);
    end();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    arm(run) {
      close = run;
      if (signalled) void closeOnce(run);
    },
    end,
  };
}

function nodeCure(): string {
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

main().catch((error: unknown) => {
  fail(`Could not start: ${reasonOf(error)}`);
  // Whatever the failed start left open must not keep the process alive.
  process.exit(1);
});
