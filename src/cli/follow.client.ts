import type { PortfolioView } from '../contract/schemas.ts';
import { systemClock } from '../kernel/system.clock.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { openLive } from './live.client.ts';
import type { ServiceClient } from './service.client.ts';
import { allFinished, onActor, onPortfolio, onTransition, startWatching, type Watching } from './watching.ts';

export interface FollowOptions {
  portfolioId: string;
  symbols: readonly string[];
  /** Called for each change. */
  onChange(before: Watching, after: Watching): void;
  /** Called once each time the live feed is lost. */
  onFeedLost(): void;
  /** Interval of reading the portfolio without a feed (poll) and with one (check). */
  pollMs?: number;
  checkMs?: number;
}

const pollMsDefault = 1000;
const checkMsDefault = 15_000; // detects a half-open connection

/**
 * Follows the symbols of a portfolio until none has an unfinished job: over the live feed, and by polling the portfolio
 * while the feed is lost. The end is confirmed by reading the portfolio. Returns its last state and that of its symbols.
 *
 * Throws the errors of reading; errors of an unavailable service only after the request timeout.
 */
export async function follow(
  client: ServiceClient,
  options: FollowOptions,
): Promise<{ portfolio: PortfolioView; watching: Watching }> {
  const {
    portfolioId,
    symbols,
    onChange,
    onFeedLost,
    pollMs = pollMsDefault,
    checkMs = checkMsDefault,
  } = options;
  let watching = startWatching(symbols);
  const update = (next: Watching) => {
    if (next !== watching) onChange(watching, next);
    watching = next;
  };
  const read = patientRead(client, `/portfolios/${portfolioId}`);
  const open = () => openLive(client, { portfolios: [portfolioId] });
  let live = open();
  let connected = false;
  try {
    for (;;) {
      const frame = await live.next(connected ? checkMs : pollMs);
      if (frame === 'lost') {
        if (connected) onFeedLost();
        connected = false;
        live.close();
        await systemClock.sleepUntil(systemClock.now() + pollMs);
        live = open();
      } else if (frame !== 'silent') {
        connected = true;
        if (frame.type === 'transition') update(onTransition(watching, frame));
        if (frame.type === 'actor') update(onActor(watching, frame.job));
        if (!allFinished(watching) && !(frame.type === 'live' || frame.type === 'error')) continue;
      }
      const portfolio = await read();
      if (portfolio === null) continue;
      update(onPortfolio(watching, portfolio));
      if (!allFinished(watching)) continue;
      // Its status may be older than that of its symbols: the last one may have ended in between.
      const last = portfolio.status === 'pending' ? await read() : portfolio;
      return { portfolio: last ?? portfolio, watching };
    }
  } finally {
    live.close();
  }
}

const temporary = new Set<number>([exitCodes.unreachable, exitCodes.tryLater]);

/** Reads; returns null while the service restarts or is busy, for as long as the request timeout. */
function patientRead(client: ServiceClient, path: string): () => Promise<PortfolioView | null> {
  let lastResponseAt = systemClock.now();
  return async () => {
    try {
      const { body } = await client.get<PortfolioView>(path);
      lastResponseAt = systemClock.now();
      return body;
    } catch (error) {
      const waits = error instanceof CommandFailure && temporary.has(error.exitCode);
      if (!waits || systemClock.now() - lastResponseAt > client.timeoutMs) throw error;
      return null;
    }
  };
}
