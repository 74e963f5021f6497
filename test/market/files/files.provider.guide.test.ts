import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesProvider } from '../../../src/market/files/files.provider.ts';
import { temporaryDirectory } from '../../support/directories.ts';

const guide = readFileSync(new URL('../../../docs/market-data.md', import.meta.url), 'utf8');

test('the examples of the guide are a directory that works as it says', async () => {
  const directory = temporaryDirectory();
  const examples = [...guide.matchAll(/<!-- file: (\S+) -->\s+```csv\n([\s\S]*?)```/g)];
  expect(examples.map(([, name]) => name)).toEqual(['AAPL.csv', 'prices.csv', 'instruments.csv']);
  for (const [, name, content] of examples) writeFileSync(join(directory, name!), content!);
  const provider = filesProvider({ directory, clock: { now: () => Date.parse('2026-08-01T12:00:00Z') } });
  const range = { from: '2025-07-31', to: '2026-07-31' };

  expect(await provider.lookup(['AAPL', 'MSFT', 'SAP.DE', 'VOD.L'])).toMatchObject([
    { verdict: 'valid', instrument: { currency: 'USD', timeZone: 'America/New_York', name: null } },
    { verdict: 'valid', instrument: { currency: 'USD', name: 'Microsoft Corporation', exchange: 'NMS' } },
    { verdict: 'valid', instrument: { currency: 'EUR', timeZone: 'Europe/Berlin', sessionEnd: '17:30' } },
    { verdict: 'invalid' }, // an instrument without prices
  ]);
  const { bars, actions } = await provider.history({ symbol: 'AAPL', ...range });
  expect(bars.map(({ date, close, volume }) => [date, close, volume])).toEqual([
    ['2026-07-29', '209.05', '51411700'],
    ['2026-07-30', '207.57', '80698400'],
    ['2026-07-31', '202.38', '104434500'],
  ]);
  expect(actions).toEqual([
    { date: '2026-07-30', kind: 'dividend', amount: '0.26' },
    { date: '2026-07-31', kind: 'split', numerator: 4, denominator: 1 },
  ]);
  expect((await provider.history({ symbol: 'SAP.DE', ...range })).bars).toHaveLength(2);

  const broken = readFileSync(join(directory, 'AAPL.csv'), 'utf8').replace(/207\.57/, 'n.a.');
  writeFileSync(join(directory, 'AAPL.csv'), broken);
  const quoted = /`(AAPL\.csv line 3: .*?)`/.exec(guide)?.[1];
  await expect(provider.history({ symbol: 'AAPL', ...range })).rejects.toMatchObject({
    code: 'unusable_data',
    message: `unusable data for AAPL: ${quoted}`,
  });
});
