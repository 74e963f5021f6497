import { type ColumnName, columns } from './columns.ts';
import { csvRow } from './csv-cells.ts';

/**
 * The portfolio template for download: all columns, one example of each kind of lot, and comments. It can be uploaded
 * unchanged.
 */
export function portfolioTemplate(): string {
  const rows = examples.map((example) => csvRow(columns.map(({ name }) => example[name] ?? '')));
  return [...comments, csvRow(columns.map(({ title }) => title)), ...rows, ''].join('\r\n');
}

const comments = [
  '# Portfolio template: one lot per row. Lines that begin with # are ignored.',
  '# Required: Symbol and Quantity and Entry Price Per Share and Entry Date. Dates are YYYY-MM-DD.',
  '# A negative quantity is a short position. A lot with an Exit Date is closed.',
  '# Investment Class: PUBLIC (the default) or OPTIONS or PRIVATE or CASH (symbol = currency code and price 1).',
  '# Currency: an ISO code or GBX for pence; empty means the currency in which the symbol trades.',
];

type Example = Partial<Record<ColumnName, string>>;

const examples: Example[] = [
  { symbol: 'AAPL', quantity: '100', entry_price: '172.40', entry_date: '2024-03-15' },
  {
    symbol: 'BRK-B',
    quantity: '12.5',
    entry_price: '405.10',
    entry_date: '2024-04-02',
    investment_class: 'PUBLIC',
    investment_subtype: 'STOCK',
    currency: 'USD',
  },
  {
    symbol: 'TSLA',
    quantity: '-40',
    entry_price: '248.55',
    entry_date: '2024-07-08',
    investment_class: 'PUBLIC',
    investment_subtype: 'STOCK',
  },
  {
    symbol: 'VTI',
    quantity: '60',
    entry_price: '258.30',
    entry_date: '2024-03-15',
    investment_class: 'PUBLIC',
    investment_subtype: 'ETF',
    exit_date: '2024-11-20',
    exit_price: '291.75',
  },
  {
    symbol: 'AAPL280121C00250000',
    quantity: '2',
    entry_price: '31.20',
    entry_date: '2025-06-30',
    investment_class: 'OPTIONS',
    underlying_symbol: 'AAPL',
    strike_price: '250',
    expiration_date: '2028-01-21',
    option_type: 'CALL',
  },
  {
    symbol: 'ACME-FUND-II',
    quantity: '1',
    entry_price: '250000',
    entry_date: '2024-01-31',
    investment_class: 'PRIVATE',
    investment_subtype: 'PRIVATE_EQUITY',
  },
  { symbol: 'USD', quantity: '15000', entry_price: '1', entry_date: '2025-06-30', investment_class: 'CASH' },
];
