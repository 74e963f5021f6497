import { readFile } from 'node:fs/promises';
import { CommanderError } from 'commander';
import type { Answer, Context, GlobalOptions } from './cli/context.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { CommandFailure, failureDocument, usageFailure } from './cli/failure.ts';
import { type Actions, buildProgram, defaultUrl, type ServeOptions } from './cli/program.command.ts';

/**
 * The command line. Sets the exit code of the process, and ends it only if the reader of a pipe has closed it. Each
 * command loads only what it needs: `--help` loads no database driver.
 */
export async function main(args: readonly string[]): Promise<void> {
  exitOnClosedPipe();
  const json = args.includes('--json');
  const isServeHelp = args.includes('serve') && args.some((word) => ['-h', '--help', 'help'].includes(word));
  const settingsHelp = isServeHelp ? (await import('./config/config.ts')).settingsHelp() : '';
  const program = buildProgram(actions, settingsHelp);
  const errors: string[] = [];
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: (text) => errors.push(text) });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return; // --help, --version
    const message = errors.join('').trim() || error.message;
    process.exitCode = exitCodes.usage;
    if (json) print(failureDocument(usageFailure(message.replace(/^error: /, ''))));
    else process.stderr.write(`${message}\n`);
  }
}

const actions: Actions = {
  serve: async (globals, options) => {
    const { serve } = await import('./serve.ts');
    await serve({ ...process.env, ...asSettings(options) }, { json: globals.json ?? false });
  },
  upload: (globals, file, options) =>
    run(globals, async (context) => (await import('./cli/upload.command.ts')).upload(context, file, options)),
  status: (globals, symbols) =>
    run(globals, async (context) => (await import('./cli/jobs.command.ts')).status(context, symbols)),
  jobs: (globals, options) =>
    run(globals, async (context) => (await import('./cli/jobs.command.ts')).jobs(context, options)),
  job: (globals, id) =>
    run(globals, async (context) => (await import('./cli/jobs.command.ts')).job(context, id)),
  retry: (globals, id) =>
    run(globals, async (context) => (await import('./cli/jobs.command.ts')).retry(context, id)),
  cancel: (globals, id) =>
    run(globals, async (context) => (await import('./cli/jobs.command.ts')).cancel(context, id)),
  setPaused: (globals, paused) =>
    run(globals, async (context) => (await import('./cli/jobs.command.ts')).setPaused(context, paused)),
  doctor: (globals, options) =>
    run(globals, async (context) => {
      const { doctor } = await import('./cli/doctor.command.ts');
      const diagnoseHere = async () => {
        (await import('./compile-cache.ts')).keepCompiled();
        return (await import('./diagnose-here.ts')).diagnoseHere(process.env);
      };
      return doctor(context, options, { isDefaultUrl: globals.url === defaultUrl, diagnoseHere });
    }),
};

function asSettings({ host, port, dataDir, marketData }: ServeOptions): Record<string, string> {
  const settings = { HOST: host, PORT: port, DATA_DIR: dataDir, MARKET_DATA: marketData };
  return Object.fromEntries(
    Object.entries(settings).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** Runs a command, prints its result or error, and sets the exit code. */
async function run(globals: GlobalOptions, command: (context: Context) => Promise<Answer>): Promise<void> {
  const { terminalOutput, reportFailure } = await import('./cli/output.terminal.ts');
  const output = terminalOutput({ json: globals.json ?? false });
  try {
    const { serviceClient } = await import('./cli/service.client.ts');
    const client = serviceClient({
      url: addressOf(globals.url),
      token: await tokenOf(globals),
      timeoutMs: globals.timeout * 1000,
    });
    const { document, lines, exitCode = exitCodes.done } = await command({ client, output });
    output.emit(document);
    output.print(...lines);
    process.exitCode = exitCode;
  } catch (error) {
    output.endRedraw();
    process.exitCode = reportFailure(output, error instanceof CommandFailure ? error : unexpected(error));
  }
}

function addressOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isHttp = parsed !== null && ['http:', 'https:'].includes(parsed.protocol);
  if (!isHttp)
    throw usageFailure(`Invalid URL "${url}". Allowed: a URL that begins with http:// or https://.`);
  if (parsed.username !== '' || parsed.password !== '') {
    throw usageFailure(
      'The URL must not contain a user or password. Put a token in SYMBOL_ONBOARDING_TOKEN.',
    );
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}

async function tokenOf({ token, tokenFile }: GlobalOptions): Promise<string | null> {
  const found = tokenFile === undefined ? token?.trim() : (await readToken(tokenFile)).trim();
  if (found === undefined || (found === '' && tokenFile === undefined)) return null;
  // Otherwise an error message about the header would show the token.
  if (!/^[\x21-\x7e]+$/.test(found)) {
    throw usageFailure('Invalid token. Allowed: visible ASCII characters without spaces.');
  }
  return found;
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw usageFailure(`Cannot read the token file ${file} (${code}).`);
  }
}

/** An unexpected error: one line, without stack. */
function unexpected(error: unknown): CommandFailure {
  const message = error instanceof Error ? error.message : String(error);
  return new CommandFailure(exitCodes.refused, 'internal_error', message.split('\n')[0] || 'unknown reason');
}

/** A closed pipe (`| head`) is not an error. */
function exitOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.done);
      throw error;
    });
  }
}

function print(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}
