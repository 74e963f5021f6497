import { Command, InvalidArgumentError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { GlobalOptions } from './context.ts';
import type { DoctorOptions } from './doctor.command.ts';
import { exitCodeMeanings } from './exit-codes.ts';
import type { JobsOptions } from './jobs.command.ts';
import type { UploadOptions } from './upload.command.ts';

export interface ServeOptions {
  host?: string;
  port?: string;
  dataDir?: string;
  marketData?: string;
}

/** The implementations of the commands, loaded on demand. */
export interface Actions {
  serve(globals: GlobalOptions, options: ServeOptions): Promise<void>;
  upload(globals: GlobalOptions, file: string, options: UploadOptions): Promise<void>;
  status(globals: GlobalOptions, symbols: string[]): Promise<void>;
  jobs(globals: GlobalOptions, options: JobsOptions): Promise<void>;
  job(globals: GlobalOptions, jobOrSymbol: string): Promise<void>;
  retry(globals: GlobalOptions, jobOrSymbol: string): Promise<void>;
  cancel(globals: GlobalOptions, jobOrSymbol: string): Promise<void>;
  setPaused(globals: GlobalOptions, paused: boolean): Promise<void>;
  doctor(globals: GlobalOptions, options: DoctorOptions): Promise<void>;
}

export const defaultUrl = 'http://127.0.0.1:3000';

/**
 * The command line: names, options and help. It throws commander's errors instead of ending the process. `settingsHelp`
 * is appended to `serve --help`.
 */
export function buildProgram(actions: Actions, settingsHelp = ''): Command {
  const program = new Command('symbol-onboarding')
    .description('Runs and operates the service that onboards the new symbols of uploaded portfolios.')
    .version(manifest.version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 })
    .addOption(
      new Option('--url <url>', 'URL of the service').env('SYMBOL_ONBOARDING_URL').default(defaultUrl),
    )
    .addOption(new Option('--token-file <file>', 'file with the bearer token'))
    .addOption(
      new Option('--token <token>', 'bearer token; other users of this machine can see it').env(
        'SYMBOL_ONBOARDING_TOKEN',
      ),
    )
    .option('--json', 'print one JSON document, also for errors; with --watch one per line')
    .option('--timeout <seconds>', 'timeout of one request', seconds, 60)
    .addHelpText('after', exitCodeHelp());
  const globals = () => program.opts<GlobalOptions>();
  serveCommand(program, actions, globals, settingsHelp);
  uploadCommand(program, actions, globals);
  readCommands(program, actions, globals);
  operatorCommands(program, actions, globals);
  doctorCommand(program, actions, globals);
  return program;
}

type Globals = () => GlobalOptions;

function serveCommand(program: Command, actions: Actions, globals: Globals, settingsHelp: string): void {
  program
    .command('serve')
    .summary('run the service until Ctrl-C')
    .description(
      'Runs the service, like `npm start`. Settings are environment variables; options override them.',
    )
    .option('--port <port>', 'PORT: port to listen on; 0 picks a free one')
    .option('--host <host>', 'HOST: address to listen on')
    .option('--data-dir <directory>', 'DATA_DIR: directory of the embedded database')
    .option('--market-data <provider>', 'MARKET_DATA: yahoo, files or simulated')
    .addHelpText('after', settingsHelp === '' ? '' : `\n${settingsHelp}`)
    .action((options) => actions.serve(globals(), options));
}

function uploadCommand(program: Command, actions: Actions, globals: Globals): void {
  program
    .command('upload')
    .summary('save a portfolio and onboard its new symbols')
    .description('Uploads a portfolio as CSV. All or nothing: a refused upload saves nothing.')
    .argument('<file>', 'the CSV file, or - for standard input')
    .option('--name <name>', 'name of the portfolio; by default the name of the file')
    .option('--base-currency <code>', 'currency of the totals, like EUR; by default USD')
    .option('--allow-duplicates', 'accept rows that are equal in all columns')
    .option('--dry-run', 'show what would happen, and save nothing')
    .addOption(new Option('--watch', 'wait until each new symbol is onboarded').conflicts('dryRun'))
    .option('--wait [seconds]', 'if the queue is full, retry for this long (600)', seconds)
    .option('--idempotency-key <key>', 'uploads with the same key save one portfolio; by default random')
    .action((file, { wait, ...options }) =>
      actions.upload(globals(), file, {
        ...options,
        ...(wait !== undefined && { wait: wait === true ? 600 : wait }),
      }),
    );
}

function readCommands(program: Command, actions: Actions, globals: Globals): void {
  program
    .command('status')
    .summary('show the status of symbols')
    .description('Shows the status of symbols. Exits with 0 for every status; scripts should use --json.')
    .argument('<symbols...>', 'symbols in any spelling')
    .action((symbols) => actions.status(globals(), symbols));
  program
    .command('jobs')
    .summary('list jobs, or show one with its timeline')
    .description('Lists jobs, newest first, or shows one job with all its transitions.')
    .argument('[job]', 'id of a job, or a symbol for its newest job')
    .option('--status <list>', 'pending, processing, completed, failed, cancelled; separated by commas')
    .option('--symbol <symbol>', 'jobs of this symbol')
    .option('--outcome <outcome>', 'complete or partial')
    .option('--error-code <code>', 'jobs with this error, like no_price_data')
    .option('--portfolio <id>', 'jobs of the symbols of this portfolio')
    .option('--limit <count>', 'maximum number of jobs', count)
    .option('--all', 'all jobs')
    .action((job: string | undefined, options) =>
      job === undefined ? actions.jobs(globals(), options) : actions.job(globals(), job),
    );
}

function operatorCommands(program: Command, actions: Actions, globals: Globals): void {
  const job = 'id of a job, or a symbol for its newest job';
  program
    .command('retry')
    .description('Retries a failed or partial job at the phase that failed. For operators.')
    .argument('<job>', job)
    .action((id) => actions.retry(globals(), id));
  program
    .command('cancel')
    .description('Cancels an unfinished job, unless its symbol is in the universe. For operators.')
    .argument('<job>', job)
    .action((id) => actions.cancel(globals(), id));
  program
    .command('pause')
    .description('Starts no more jobs on any node, until resume. For operators.')
    .action(() => actions.setPaused(globals(), true));
  program
    .command('resume')
    .description('Starts jobs again after pause. For operators.')
    .action(() => actions.setPaused(globals(), false));
}

function doctorCommand(program: Command, actions: Actions, globals: Globals): void {
  program
    .command('doctor')
    .summary('find out what is wrong, and how to fix it')
    .description(
      'Checks database, lock, clocks, market data, proxies, queue and lots, and says how to fix what is wrong. Asks ' +
        'the service; if none is running here, it checks the configured database itself and changes nothing. For ' +
        'operators.',
    )
    .option('--local', 'check the configured database without asking a service')
    .option('--strict', 'exit with 1 on warnings too')
    .action((options) => actions.doctor(globals(), options));
}

function exitCodeHelp(): string {
  const lines = exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}`);
  return ['', 'Exit codes:', ...lines].join('\n');
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('Allowed: seconds above 0, at most 86400.');
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Allowed: a whole number from 1.');
}
