import { filesProvider } from '../../src/market/files.provider.ts';
import { temporaryDirectory } from '../support/directories.ts';
import { writePriceFiles } from '../support/price-files.ts';
import { describeProvider } from './provider.contract.ts';

const symbols = [
  ...[
    'AAPL',
    'MSFT',
    'BRK-B',
    'SPY',
    'VOD.L',
    'SAP.DE',
    '7203.T',
    'BTC-USD',
    '^GSPC',
    'NEW13',
    'NEW1',
    'SPLIT',
  ],
  // For the portfolio of many: a file that exists is enough.
  ...Array.from({ length: 250 }, (_, index) => `S${index}`),
];

describeProvider(
  'files',
  async ({ now }) => {
    const directory = temporaryDirectory();
    writePriceFiles(directory, symbols, now);
    return {
      provider: filesProvider({ directory, clock: { now: () => now } }),
      advance: () => {},
      close: async () => {},
    };
  },
  { isRemote: false },
);
