import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { startService } from '../support/service.ts';

const example = readFileSync(new URL('../../examples/portfolio.csv', import.meta.url), 'utf8');

describeOnEveryDatabase('the example portfolio', (makeDatabase) => {
  test('goes in with unknown symbols, which come out onboarded', async () => {
    const service = await startService(await makeDatabase());

    const upload = await service.upload<{ portfolio_id: string; status: string; pending_symbols: string[] }>(
      example,
    );
    expect(upload).toMatchObject({ status: 202, body: { status: 'pending' } });
    const { portfolio_id: id, pending_symbols: pending } = upload.body;
    expect(pending.length).toBeGreaterThanOrEqual(20);

    const portfolio = await service.settled(id);
    expect(portfolio).toMatchObject({
      status: 'ready',
      progress: { ready: pending.length, failed: 0, fraction: 1 },
    });
    expect(portfolio.snapshot).toMatchObject({ pending_count: 0, is_complete: true });
    const { history, histories } = service.app.provider.requests();
    expect(history).toBe(8 + pending.length);
    expect(Object.values(histories).every((count) => count === 1)).toBe(true);
  });
});
