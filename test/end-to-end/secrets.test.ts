import { pino } from 'pino';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { logOptions } from '../../src/api/http/request-log.ts';
import { startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { authTokens, credentials, tokenOf } from '../support/tokens.ts';

describeOnEveryDatabase('the log', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('has no token, no ticket and no cell of a file, at any level', async () => {
    const lines: string[] = [];
    const logger = pino(logOptions('trace'), { write: (line: string) => void lines.push(line) });
    const settings = {
      MARKET_DATA: 'simulated',
      PORT: '0',
      AUTH_TOKENS: authTokens,
      ...(database.databaseUrl && { DATABASE_URL: database.databaseUrl }),
    };
    const reading = readConfig(settings);
    if ('problems' in reading) throw new Error(reading.problems.map(({ message }) => message).join());
    const { url, close } = await startApp(reading.config, {
      logger,
      database: { ...database, close: async () => {} },
      provider: simulatedProvider({ clock: systemClock }),
    });
    onTestFinished(close);
    const headers = credentials('ann');
    const send = async (path: string, request: RequestInit = {}) => {
      const response = await fetch(url + path, request);
      return { status: response.status, body: await response.text() };
    };
    const upload = (csv: string, more: Record<string, string> = headers) =>
      send('/portfolios?name=SECRETNAME', {
        method: 'POST',
        headers: { ...more, 'content-type': 'text/csv' },
        body: csv,
      });
    const columns = 'Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class';

    const saved = await upload(`${columns}\nLOGGED,918273.5,645362.25,2025-01-02,PUBLIC`);
    expect(saved.status).toBe(202);
    expect((await upload(`${columns}\nLOGGED,SECRETCELL,1,2025-01-02,PUBLIC`)).status).toBe(422);
    expect((await upload(`${columns}\n"SECRETCELL`)).status).toBe(422);
    expect((await upload(`${columns}\nNOPEX,918273.5,645362.25,2025-01-02,PUBLIC`)).status).toBe(422);
    expect((await upload(`${columns}\nX`, { authorization: 'Bearer SECRETGUESS' })).status).toBe(401);
    const json = JSON.stringify({ positions: [{ symbol: 'LOGGED', quantity: 'SECRETCELL' }] });
    const typed = { ...headers, 'content-type': 'application/json' };
    expect((await send('/portfolios', { method: 'POST', headers: typed, body: json })).status).toBe(422);
    expect((await send('/portfolios', { method: 'POST', headers: typed, body: '{"SECRETCELL' })).status).toBe(
      400,
    );
    expect((await send('/symbols?query=SECRETQUERY', { headers })).status).toBe(200);
    expect((await send('/nowhere?ticket=SECRETTICKET', { headers })).status).toBe(404);

    const { body } = await send('/tickets', { method: 'POST', headers });
    const { ticket } = JSON.parse(body) as { ticket: string };
    const live = new WebSocket(`${url.replace('http', 'ws')}/ws?ticket=${ticket}`);
    await new Promise((resolve) => live.addEventListener('message', resolve, { once: true }));
    const closed = new Promise((resolve) => live.addEventListener('close', resolve));
    live.close();
    await closed;
    const refused = new WebSocket(`${url.replace('http', 'ws')}/ws?ticket=${ticket}`);
    await new Promise((resolve) => refused.addEventListener('error', resolve));

    const log = lines.join('');
    expect(log).toContain('"path":"/portfolios"');
    expect(log).toContain('"path":"/ws"');
    expect(log).toContain('invalid_rows');
    expect(log).toContain('unauthenticated');
    expect(log).not.toMatch(/SECRET|918273|645362/);
    for (const secret of [ticket, tokenOf('ann'), ...authTokens.split(',')])
      expect(log).not.toContain(secret);
  });
});
