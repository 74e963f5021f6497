import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config/config.ts';
import { systemClock } from '../src/kernel/system.clock.ts';
import { openMarketData } from '../src/market-data.ts';
import { createMetrics } from '../src/metrics/registry.metrics.ts';
import { temporaryDirectory } from './support/directories.ts';

const open = (settings: Record<string, string>) => {
  const reading = readConfig(settings);
  if ('problems' in reading) throw new Error(reading.problems.map(({ message }) => message).join());
  return openMarketData(reading.config, { clock: systemClock, metrics: createMetrics(), own: undefined });
};

test.each([
  ['yahoo', ['yahoo'], true],
  ['files, yahoo', ['files', 'yahoo'], true],
  ['files', ['files'], false],
  ['simulated', ['simulated'], false],
])('MARKET_DATA=%s opens %j', async (MARKET_DATA, names, hasGate) => {
  const directory: Record<string, string> = MARKET_DATA.includes('files')
    ? { MARKET_DATA_DIR: temporaryDirectory() }
    : {};
  const { provider, sources, gate } = await open({ MARKET_DATA, ...directory });
  expect([sources.map(({ name }) => name), provider.name]).toEqual([names, names[0]]);
  expect(gate !== null).toBe(hasGate); // nobody limits the reading of files
});

test('a directory that is none stops the start', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'prices.csv');
  writeFileSync(file, '');
  for (const [path, why] of [
    [join(directory, 'elsewhere'), 'ENOENT'],
    [file, 'a file'],
  ] as const) {
    await expect(open({ MARKET_DATA: 'files', MARKET_DATA_DIR: path })).rejects.toMatchObject({
      code: 'market_data_unusable',
      message: `Expected MARKET_DATA_DIR to be a directory of price files, got: ${path} (${why})`,
    });
  }
});
