/** A symbol's state in the universe and the jobs. A symbol without rows has no state. */
export interface SymbolState {
  symbol: string;
  isActive: boolean;
  /** A job of it has completed (`ready_at` is set). */
  isReady: boolean;
  /** Trading day of its last stored bar, `YYYY-MM-DD`. */
  lastPriceDate: string | null;
  /** Currency of its prices; null while unknown. */
  currency: string | null;
  /** The first day for which its splits, or the whole series of a rate, were requested; null if unknown. */
  historyFrom: string | null;
  unfinishedJobId: string | null;
}
