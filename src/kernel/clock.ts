/** Time as a parameter: the service reads no other clock than this one. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves at `until` (epoch milliseconds), at once if it is past; rejects with the signal's reason. */
  sleepUntil(until: number, signal?: AbortSignal): Promise<void>;
}
