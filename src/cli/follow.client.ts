import type { PortfolioView } from '../contract/schemas.ts';
import { systemClock } from '../kernel/clock.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { openLive } from './live.client.ts';
import type { ServiceClient } from './service.client.ts';
import { allFinished, onActor, onPortfolio, onTransition, startWatching, type Watching } from './watching.ts';

export interface FollowOptions {
  portfolioId: string;
  symbols: readonly string[];
  /** Told whenever something that is watched has changed. */
  onChange(before: Watching, after: Watching): void;
  /** Told once each time the live feed is lost. */
  onFeedLost(): void;
  /** How often the portfolio is read where no feed tells, and how often it is beside one. */
  pollMs?: number;
  checkMs?: number;
}

const pollMsDefault = 1000;
const checkMsDefault = 15_000; // a connection that died without a word must not keep anybody waiting

/**
 * Follows the symbols of a portfolio until none has an unfinished job: over the live feed, and by reading the
 * portfolio while that is lost. The portfolio has the last word. Answers its last state and that of its symbols.
 *
 * Throws what the reading throws; a service that does not answer, once it has not for as long as a request may take.
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
      // Its counts are of a moment before its symbols, the last of which may have ended in between.
      const last = portfolio.status === 'pending' ? await read() : portfolio;
      return { portfolio: last ?? portfolio, watching };
    }
  } finally {
    live.close();
  }
}

const temporary = new Set<number>([exitCodes.unreachable, exitCodes.tryLater]);

/** Reads, or answers null while the service restarts or is busy; gives up when it has been for a whole timeout. */
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
