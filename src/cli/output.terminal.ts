import { stripVTControlCharacters } from 'node:util';
import { createLogUpdate } from 'log-update';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure, failureDocument, failureLines } from './failure.ts';

/** What a command came to: a document for scripts, lines for people. */
export interface Answer {
  document: unknown;
  lines: readonly string[];
  /** 0 where it says nothing. */
  exitCode?: number;
}

export interface Output {
  /** Only JSON goes to standard output. */
  readonly json: boolean;
  /** To people: standard output, or nothing with `--json`. */
  print(...lines: string[]): void;
  /** Beside the answer, whoever reads it: standard error. */
  note(...lines: string[]): void;
  /** One line of JSON, with `--json` only. */
  emit(document: unknown): void;
  /** Redraws what it drew before. Null where the output is no terminal: print what changed instead. */
  readonly redraw: ((lines: readonly string[]) => void) | null;
  /** Leaves what was drawn last and gives the cursor back. */
  endRedraw(): void;
  /** What Ctrl-C is answered with, from now on. */
  ifInterrupted(message: string): void;
}

/**
 * Standard output and standard error of this process: colours and cursor moves on a terminal only; Ctrl-C gives the
 * cursor back and ends the program with 130.
 */
export function terminalOutput({ json }: { json: boolean }): Output {
  const { stdout, stderr } = process;
  const live = stdout.isTTY && !json && process.env.TERM !== 'dumb' ? createLogUpdate(stdout) : null;
  let farewell = 'Interrupted.';
  const output: Output = {
    json,
    print(...lines) {
      if (!json) write(stdout, lines);
    },
    note: (...lines) => write(stderr, lines),
    emit(document) {
      if (json) stdout.write(`${JSON.stringify(document)}\n`);
    },
    redraw: live && ((lines) => live(lines.join('\n'))),
    endRedraw: () => live?.done(),
    ifInterrupted(message) {
      farewell = message;
    },
  };
  endOnSignal(output, () => farewell);
  return output;
}

function endOnSignal(output: Output, farewell: () => string): void {
  process.once('SIGINT', () => {
    output.endRedraw();
    const { interrupted } = exitCodes;
    process.exit(reportFailure(output, new CommandFailure(interrupted, 'interrupted', farewell())));
  });
  process.once('SIGTERM', () => {
    output.endRedraw();
    process.exit(143); // as a shell counts it: 128 + 15
  });
}

/** Says why a command failed; answers what the process is to end with. */
export function reportFailure(output: Output, failure: CommandFailure): number {
  output.emit(failureDocument(failure));
  if (!output.json) output.note(...failureLines(failure));
  return failure.exitCode;
}

function write(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join('');
  // hasColors knows NO_COLOR and FORCE_COLOR.
  stream.write(stream.isTTY && stream.hasColors() ? text : stripVTControlCharacters(text));
}
