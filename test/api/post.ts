import { ask } from './serve.ts';

export const csv = 'Symbol,Quantity,Entry Price Per Share,Entry Date\nBRK.B,10,100,2025-01-02\n';
export const position = { symbol: 'BRK.B', quantity: '10', entry_price: '100', entry_date: '2025-01-02' };

export const postCsv = (url: string, body: string | Buffer<ArrayBuffer> = csv, query = '') =>
  ask(`${url}/portfolios${query}`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body });
export const postJson = (url: string, body: unknown) =>
  ask(`${url}/portfolios`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
export const postForm = (
  url: string,
  parts: Record<string, string | Blob>,
  fileName = 'My stocks.csv',
  query = '',
) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, fileName);
  }
  return ask(`${url}/portfolios${query}`, { method: 'POST', body: form });
};
