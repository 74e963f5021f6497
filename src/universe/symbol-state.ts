/** What the universe and the jobs say of a symbol. A symbol without a row has none. */
export interface SymbolState {
  symbol: string;
  isActive: boolean;
  /** A job of it has completed (`ready_at` is set). */
  isReady: boolean;
  /** Trading day of its last stored bar, `YYYY-MM-DD`. */
  lastPriceDate: string | null;
  /** Of its prices; null while it is not known. */
  currency: string | null;
  /** The day from which its splits, or the whole series of a rate, were asked for; null where nobody knows. */
  historyFrom: string | null;
  unfinishedJobId: string | null;
}
