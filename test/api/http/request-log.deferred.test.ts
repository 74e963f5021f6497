import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logOptions } from '../../../src/api/http/request-log.ts';
import { serve } from '../serve.ts';

test('a status that fails is logged with its request, one that is answered is not logged at all', async () => {
  const lines: string[] = [];
  const logger = pino(logOptions('info'), { write: (line) => void lines.push(line) });
  const { url, fake } = await serve({ logger });
  lines.length = 0; // it said where it listens
  const ask = () => fetch(`${url}/symbols/AAPL/status`, { headers: { 'x-request-id': 'mine' } });
  expect((await ask()).status).toBe(200);
  expect(lines).toEqual([]);
  fake.failure = new Error('no such table');
  expect((await ask()).status).toBe(500);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, reqId: 'mine', msg: 'request failed', err: { message: 'no such table' } },
  ]);
});
