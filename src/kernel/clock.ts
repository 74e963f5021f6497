/** Time as a parameter: the service reads only this clock. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves at `until` (epoch milliseconds), immediately if that is past. Rejects with the signal's reason. */
  sleepUntil(until: number, signal?: AbortSignal): Promise<void>;
}
