import { existsSync, openAsBlob, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { diagnosisSchema } from '../src/contract/schemas.ts';
import type { Database } from '../src/database/database.orm.ts';
import { diagnoseHere } from '../src/diagnose-here.ts';
import { openDatabase } from '../src/open-database.ts';
import { deadUrl } from './support/answering.ts';
import { command, documents } from './support/command.ts';
import { describeOnDatabase, pgliteTemplate } from './support/databases.ts';
import { temporaryDirectory } from './support/directories.ts';
import { csvOf, startService } from './support/service.ts';

const reportSchema = diagnosisSchema.extend({ source: z.enum(['service', 'local']) });
const simulated = { MARKET_DATA: 'simulated' };

async function report(words: string[], env: Record<string, string> = {}) {
  const { code, out, err } = await command(['doctor', '--json', ...words], { env });
  const { verdict, source, findings } = reportSchema.parse(documents(out)[0]);
  return { code, verdict, source, err, of: new Map(findings.map((finding) => [finding.name, finding])) };
}

describeOnDatabase('postgres', 'doctor', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('asks the service; something broken ends with 1, a warning only with --strict', async () => {
    const { url, post, upload } = await startService(database, { isSound: false });
    const fine = await report(['--url', url]);
    expect(fine).toMatchObject({ code: 0, verdict: 'warning', source: 'service', err: [] });
    expect(fine.of.get('clock here')).toMatchObject({ verdict: 'ok' });
    expect((await report(['--url', url, '--strict'])).code).toBe(1);

    await post('/onboarding/pause');
    await upload(csvOf('LOST'));
    await database.sql(`delete from pgboss.job where singleton_key = 'LOST'`);
    const { code, out, err } = await command(['doctor', '--url', url]);
    expect({ code, err }).toEqual({ code: 1, err: [] });
    expect(out).toContainEqual(expect.stringMatching(/^failed {3}queue .*no node can claim it: LOST\./));
    expect(out).toContainEqual(expect.stringMatching(/^ +Fix: .*`symbol-onboarding cancel LOST`/));
  });

  test('looks into the configured database itself with --local, and leaves it as it was', async () => {
    const tables = () =>
      database.sql('select table_schema, table_name from information_schema.tables order by 1, 2');
    const before = await tables();
    const env = { ...simulated, DATABASE_URL: database.databaseUrl! };
    const local = await report(['--local'], env);
    expect(local).toMatchObject({ code: 1, source: 'local', err: [] }); // the job that the test above has broken
    expect(local.of.get('database')).toMatchObject({ verdict: 'ok' });
    expect(local.of.get('queue')).toMatchObject({ verdict: 'failed' });
    expect(await tables()).toEqual(before);
  });
});

describe('doctor, where no service runs', () => {
  const named = async (environment: Record<string, string>) => {
    const { verdict, findings } = await diagnoseHere({ ...simulated, ...environment });
    return { verdict, of: new Map(findings.map((finding) => [finding.name, finding])) };
  };

  test('names who holds the embedded database, and opens it once it is free', async () => {
    const dataDir = join(temporaryDirectory(), 'data');
    const env = { DATA_DIR: dataDir, FSYNC: 'off' };
    const none = await named(env);
    expect(none.of.get('database')).toMatchObject({
      verdict: 'warning',
      evidence: expect.stringMatching(/^There is no database in /),
    });
    expect(none.of.get('provider')).toMatchObject({ verdict: 'ok' });
    expect(existsSync(dataDir)).toBe(false);

    const loadDataDir = await openAsBlob(await pgliteTemplate());
    const service = await openDatabase({ databaseUrl: null, dataDir, fsync: false, loadDataDir });
    const held = await named(env).finally(() => service.close());
    expect(held.verdict).toBe('warning');
    expect(held.of.get('lock')!.evidence).toContain(`held by process ${process.pid} on `);
    expect(held.of.has('queue')).toBe(false);

    const files = readdirSync(dataDir);
    const free = await named(env);
    expect(free.of.get('database')).toMatchObject({ verdict: 'ok' });
    expect(free.of.get('lock')).toMatchObject({ verdict: 'ok' });
    expect(free.of.get('queue')).toMatchObject({ evidence: '0 unfinished jobs, 0 queue entries.' });
    expect(readdirSync(dataDir)).toEqual(files);
  });

  test('fails where DATA_DIR is a file', async () => {
    const { verdict, of } = await named({ DATA_DIR: import.meta.filename });
    expect(verdict).toBe('failed');
    expect(of.get('database')!.evidence).toMatch(
      /^Expected DATA_DIR to be a directory, got: the file .*diagnose-here/,
    );
  });

  test('fails where the database does not answer, and never shows its password', async () => {
    const { port } = new URL(await deadUrl());
    const { verdict, of } = await named({ DATABASE_URL: `postgres://me:secret@127.0.0.1:${port}/none` });
    expect(verdict).toBe('failed');
    expect(of.get('database')!.evidence).toMatch(/ECONNREFUSED/);
    expect(of.get('provider')).toMatchObject({ verdict: 'ok' });
    expect(JSON.stringify([...of])).not.toContain('secret');
  });

  test('names wrong settings', async () => {
    const { verdict, of } = await named({ PORT: 'abc' });
    expect(verdict).toBe('failed');
    expect(of.get('settings')!.evidence).toMatch(/^Invalid PORT "[^"]*"\. Allowed: a whole number/);
  });

  test('does not mistake this machine for a service that was named: 3', async () => {
    const { code } = await command(['doctor', '--url', await deadUrl()], { env: simulated });
    expect(code).toBe(3);
  });
});
