import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { filesProvider } from '../../src/market/files/files.provider.ts';
import { writePriceFiles } from '../support/price-files.ts';
import { describeProvider } from './provider.contract.ts';

const traded = ['AAPL', 'MSFT', 'BRK-B', 'SPY', 'VOD.L', 'SAP.DE', '7203.T', 'BTC-USD', '^GSPC'];
const special = ['NEW13', 'NEW1', 'SPLIT'];
const many = Array.from({ length: 250 }, (_, index) => `S${index}`); // the portfolio of many

// One directory for all: nothing in the contract writes, and no test of it moves the clock to another session.
const directory = mkdtempSync(join(tmpdir(), 'symbol-onboarding-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let written: number | null = null;

describeProvider(
  'files',
  async ({ now }) => {
    if (written !== now) writePriceFiles(directory, [...traded, ...special, ...many], now);
    written = now;
    return {
      provider: filesProvider({ directory, clock: { now: () => now } }),
      advance: () => {},
      close: async () => {},
    };
  },
  { isRemote: false },
);
