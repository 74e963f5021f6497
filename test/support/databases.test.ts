import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/open-database.ts';
import { describeOnDatabase, describeOnEveryDatabase } from './databases.ts';

describeOnEveryDatabase('a database of a test', (makeDatabase) => {
  test('is migrated, empty and its own', async () => {
    const one = await makeDatabase();
    const other = await makeDatabase();
    await one.sql(`insert into symbol_universe (symbol) values ('AAPL')`);
    expect(await one.sql('select symbol from symbol_universe')).toEqual([{ symbol: 'AAPL' }]);
    expect(await other.sql('select symbol from symbol_universe')).toEqual([]);
  });
});

describeOnDatabase('postgres', 'a database of a test', (makeDatabase) => {
  test('sorts and tells the time unlike PGlite, so that nothing depends on either', async () => {
    const { databaseUrl } = await makeDatabase();
    const second = await openDatabase({ databaseUrl, dataDir: null, fsync: false });
    const sql = `select current_setting('TimeZone') as zone, 'a' < 'B' as "ignoresCase"`;
    expect(await second.sql(sql)).toEqual([{ zone: 'America/New_York', ignoresCase: true }]);
    await second.close();
  });
});

describe('the host of the databases', () => {
  test('takes the server and its files along when its runner is gone', async () => {
    const script = join(import.meta.dirname, 'database-host.ts');
    const host = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [hostUrl] = await once(createInterface({ input: host.stdout }), 'line');
    const { url } = (await (await fetch(`${hostUrl}/postgres`)).json()) as { url: string };
    const server = await openDatabase({ databaseUrl: `${url}postgres`, dataDir: null, fsync: false });
    const [row] = await server.sql<{ data: string }>(`select current_setting('data_directory') as data`);
    await server.close();

    host.stdin.destroy(); // what the kernel does for a runner that was killed
    await once(host, 'exit');

    expect(existsSync(dirname(row!.data))).toBe(false);
    const [refusal] = await once(connect(Number(new URL(url).port), '127.0.0.1'), 'error');
    expect(refusal).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
