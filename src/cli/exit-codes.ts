/** What a command ends with. Stable: scripts branch on them. */
export const exitCodes = {
  done: 0,
  refused: 1,
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  tryLater: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** As `--help` and the documentation say it. */
export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.done, 'done; with --watch: every symbol completed; doctor: nothing failed'],
  [exitCodes.refused, 'the service refused, a symbol failed, or a check of doctor failed'],
  [exitCodes.usage, 'the command was not understood, or a file cannot be read'],
  [exitCodes.unreachable, 'no service answers at the URL, or not within --timeout'],
  [exitCodes.notAllowed, 'no token, a wrong one, or one that may not do this'],
  [exitCodes.tryLater, 'not now: the queue is full, or the service is busy or starting'],
  [exitCodes.interrupted, 'interrupted by Ctrl-C; what was saved stays saved'],
];

/** What an HTTP status of the service means for whoever called the command. */
export function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.notAllowed;
  if (status === 429 || status === 503) return exitCodes.tryLater;
  if (status === 408 || status === 502 || status === 504) return exitCodes.unreachable;
  return exitCodes.refused;
}
