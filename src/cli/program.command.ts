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

/** What the commands do; they are loaded only when one is asked for. */
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
 * The command line: names, options and help, without what they do. It throws commander's errors instead of ending
 * the process. `settingsHelp` is what `serve --help` adds.
 */
export function buildProgram(actions: Actions, settingsHelp = ''): Command {
  const program = new Command('symbol-onboarding')
    .description('Onboards the new symbols of uploaded portfolios; serves, asks and operates the service.')
    .version(manifest.version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 })
    .addOption(
      new Option('--url <url>', 'where the service is').env('SYMBOL_ONBOARDING_URL').default(defaultUrl),
    )
    .addOption(new Option('--token-file <file>', 'file that holds the bearer token'))
    .addOption(
      new Option('--token <token>', 'the bearer token; others on this machine may see it').env(
        'SYMBOL_ONBOARDING_TOKEN',
      ),
    )
    .option('--json', 'one JSON document on standard output, errors too; with --watch one per line')
    .option('--timeout <seconds>', 'how long one request may take', seconds, 60)
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
      'Runs the service, as `npm start` does. Settings are environment variables; options beat them.',
    )
    .option('--port <port>', 'PORT: where to listen; 0 takes a free one')
    .option('--host <host>', 'HOST: address to listen on')
    .option('--data-dir <directory>', 'DATA_DIR: where the embedded database keeps its data')
    .option('--market-data <provider>', 'MARKET_DATA: yahoo, files or simulated')
    .addHelpText('after', settingsHelp === '' ? '' : `\n${settingsHelp}`)
    .action((options) => actions.serve(globals(), options));
}

function uploadCommand(program: Command, actions: Actions, globals: Globals): void {
  program
    .command('upload')
    .summary('save a portfolio and onboard its new symbols')
    .description('Uploads a portfolio as CSV. All or nothing: a refused upload leaves nothing behind.')
    .argument('<file>', 'the CSV file, or - for standard input')
    .option('--name <name>', 'name of the portfolio; the name of the file when left out')
    .option('--base-currency <code>', 'currency of the totals, like EUR; USD when left out')
    .option('--allow-duplicates', 'rows that are equal in every column are meant')
    .option('--dry-run', 'say what would happen, and save nothing')
    .addOption(new Option('--watch', 'stay until each new symbol is onboarded').conflicts('dryRun'))
    .option('--wait [seconds]', 'while the queue is full, try again for so long (600)', seconds)
    .option('--idempotency-key <key>', 'uploads with one key save one portfolio; a random key when left out')
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
    .summary('how far symbols are')
    .description('How far symbols are. Exits 0 whatever their status is; --json has it for scripts.')
    .argument('<symbols...>', 'symbols, as you write them')
    .action((symbols) => actions.status(globals(), symbols));
  program
    .command('jobs')
    .summary('list jobs, or show one with its timeline')
    .description('Jobs, newest first, or one job with every transition that it made.')
    .argument('[job]', 'the id of a job, or a symbol for its newest one')
    .option('--status <list>', 'pending, processing, completed, failed, cancelled; several with commas')
    .option('--symbol <symbol>', 'jobs of this symbol')
    .option('--outcome <outcome>', 'complete or partial')
    .option('--error-code <code>', 'jobs with this error, like no_price_data')
    .option('--portfolio <id>', 'jobs of the symbols of this portfolio')
    .option('--limit <count>', 'at most so many', count)
    .option('--all', 'every job, however many')
    .action((job: string | undefined, options) =>
      job === undefined ? actions.jobs(globals(), options) : actions.job(globals(), job),
    );
}

function operatorCommands(program: Command, actions: Actions, globals: Globals): void {
  const job = 'the id of a job, or a symbol for its newest one';
  program
    .command('retry')
    .description('Lets a failed or partial job go on where it failed. For operators.')
    .argument('<job>', job)
    .action((id) => actions.retry(globals(), id));
  program
    .command('cancel')
    .description('Ends an unfinished job while no portfolio is valued with its symbol. For operators.')
    .argument('<job>', job)
    .action((id) => actions.cancel(globals(), id));
  program
    .command('pause')
    .description('Begins no more jobs, on any node, until resume. For operators.')
    .action(() => actions.setPaused(globals(), true));
  program
    .command('resume')
    .description('Begins jobs again after pause. For operators.')
    .action(() => actions.setPaused(globals(), false));
}

function doctorCommand(program: Command, actions: Actions, globals: Globals): void {
  program
    .command('doctor')
    .summary('find out what is wrong, and how to mend it')
    .description(
      'Checks database, lock, clocks, market data, proxies, queue and lots; each with a verdict and a cure. Asks ' +
        'the service; where none runs here, looks into the configured database itself and changes nothing. For ' +
        'operators.',
    )
    .option('--local', 'look into the configured database, without asking a service')
    .option('--strict', 'exit 1 at a warning too')
    .action((options) => actions.doctor(globals(), options));
}

function exitCodeHelp(): string {
  const lines = exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}`);
  return ['', 'Exit codes:', ...lines].join('\n');
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('Expected seconds, more than 0 and at most 86400.');
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1.');
}
