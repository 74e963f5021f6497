/** Exit codes. Stable: scripts branch on them. */
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

/** For `--help` and the documentation. */
export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.done, 'done; with --watch: every symbol completed; doctor: no check failed'],
  [exitCodes.refused, 'the service refused, a symbol failed, or a check of doctor failed'],
  [exitCodes.usage, 'invalid command or option, or a file cannot be read'],
  [exitCodes.unreachable, 'no response from the service, or not within --timeout'],
  [exitCodes.notAllowed, 'missing or invalid token, or not the required role'],
  [exitCodes.tryLater, 'try later: the queue is full, or the service is busy or starting'],
  [exitCodes.interrupted, 'interrupted by Ctrl-C; saved data stays saved'],
];

/** The exit code for an HTTP status of the service. */
export function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.notAllowed;
  if (status === 429 || status === 503) return exitCodes.tryLater;
  if (status === 408 || status === 502 || status === 504) return exitCodes.unreachable;
  return exitCodes.refused;
}
