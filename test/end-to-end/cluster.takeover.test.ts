import { expect, test } from 'vitest';
import { allJobsEnded, faultsIn, journal, newSymbols, startCluster, until } from '../support/cluster.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { csvOf } from '../support/service.ts';
import { stopped, upload } from '../support/service-process.ts';

describeOnDatabase('postgres', 'a node that dies', (makeDatabase) => {
  test('has its jobs running elsewhere within 20 s, once its leases have lapsed', {
    timeout: 180_000,
  }, async () => {
    const database = await makeDatabase();
    const cluster = await startCluster(database);
    const nodes = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
    const symbols = newSymbols(3);
    const gates = symbols.slice(1).map((symbol) => cluster.hold(symbol, { most: 1 }));
    const proxies = cluster.hold('SPY', { most: 3 });
    await cluster.admit(symbols);
    await Promise.all(gates.map(({ reached }) => reached));
    // The first is a phase further: its prices are stored.
    const holders = await until(async () => {
      const rows = await database.sql<{ symbol: string; state: string; node: string }>(
        'select symbol, state, node from onboarding_jobs order by symbol',
      );
      return (
        rows[0]!.state === 'processing.factors.running' && new Map(rows.map((row) => [row.symbol, row.node]))
      );
    });
    const lost = nodes.find(({ name }) => name === holders.get(symbols[0]!))!;
    const interrupted = symbols.filter((symbol) => holders.get(symbol) === lost.name);

    await upload(lost.at, csvOf(...symbols)); // what it keeps of their verdicts dies with it
    const [killed] = await database.sql<{ at: string }>('select clock_timestamp()::text as at');
    await stopped(lost, 'SIGKILL');
    for (const gate of [...gates, proxies]) gate.open();
    await allJobsEnded(database);

    const resumed = await database.sql<{ symbol: string; seconds: number }>(
      `select symbol, extract(epoch from at - $1::timestamptz)::float8 as seconds from onboarding_transitions
       where event = 'resumed' order by symbol`,
      [killed!.at],
    );
    expect(resumed.map(({ symbol }) => symbol)).toEqual(interrupted);
    for (const { seconds } of resumed) expect(seconds).toBeLessThan(20);
    expect(faultsIn(await journal(database), { perNode: 3 })).toEqual([]);
    const jobs = await database.sql('select status, attempt, resumes from onboarding_jobs');
    expect(jobs).toEqual(symbols.map(() => ({ status: 'completed', attempt: 1, resumes: 0 })));
    // What had been stored is not asked for again, what was under way is.
    const again = symbols.map((symbol, n) => (n > 0 && interrupted.includes(symbol) ? 2 : 1));
    expect(symbols.map(cluster.requests)).toEqual(again);
    for (const node of nodes.filter((one) => one !== lost)) {
      expect(await stopped(node)).toMatchObject({ code: 0, err: [] });
    }
  });
});
