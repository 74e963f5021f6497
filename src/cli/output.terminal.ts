import { stripVTControlCharacters } from 'node:util';
import { createLogUpdate } from 'log-update';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure, failureDocument, failureLines } from './failure.ts';

/** The result of a command: a document for scripts, lines for people. */
export interface Answer {
  document: unknown;
  lines: readonly string[];
  /** 0 by default. */
  exitCode?: number;
}

export interface Output {
  /** Only JSON goes to standard output. */
  readonly json: boolean;
  /** For people: standard output, or nothing with `--json`. */
  print(...lines: string[]): void;
  /** In addition to the result: standard error. */
  note(...lines: string[]): void;
  /** One line of JSON, with `--json` only. */
  emit(document: unknown): void;
  /** Redraws the previous lines. Null if the output is not a terminal: print changes instead. */
  readonly redraw: ((lines: readonly string[]) => void) | null;
  /** Keeps the last drawn lines and shows the cursor again. */
  endRedraw(): void;
  /** Sets the message for Ctrl-C. */
  ifInterrupted(message: string): void;
}

/**
 * Standard output and standard error of this process. Colours and redrawing on a terminal only; Ctrl-C shows the cursor
 * again and ends the program with 130.
 */
export function terminalOutput({ json }: { json: boolean }): Output {
  const { stdout, stderr } = process;
  const live = stdout.isTTY && !json && process.env.TERM !== 'dumb' ? createLogUpdate(stdout) : null;
  let interruptMessage = 'Interrupted.';
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
      interruptMessage = message;
    },
  };
  endOnSignal(output, () => interruptMessage);
  return output;
}

function endOnSignal(output: Output, message: () => string): void {
  process.once('SIGINT', () => {
    output.endRedraw();
    const { interrupted } = exitCodes;
    process.exit(reportFailure(output, new CommandFailure(interrupted, 'interrupted', message())));
  });
  process.once('SIGTERM', () => {
    output.endRedraw();
    process.exit(143); // 128 + SIGTERM, as in shells
  });
}

/** Prints why a command failed; returns the exit code. */
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
