import { DBOS } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { contend } from '../support/contestant.ts';
import type { Load } from './load.ts';

// A durable workflow of five steps that return at once, called directly: no queue of DBOS, nothing to claim.

await contend<Load>(async (url) => {
  const steps = ['fetch', 'factors', 'universe', 'snapshot', 'cache'];
  const workflow = DBOS.registerWorkflow(
    async (symbol: string) => {
      for (const name of steps) await DBOS.runStep(async () => ({ symbol }), { name });
      return symbol;
    },
    { name: 'onboard' },
  );
  // As many connections as workflows at once, so that none waits for one.
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, systemDatabasePoolSize: 32, logLevel: 'error' });
  await DBOS.launch();
  const admin = new pg.Pool({ connectionString: url, max: 1 });
  return {
    async run({ jobs, concurrency }) {
      await admin.query('truncate dbos.workflow_status cascade');
      await admin.query('checkpoint');
      let next = 0;
      const work = async () => {
        while (next < jobs) await workflow(`SYM${next++}`);
      };
      const begin = performance.now();
      await Promise.all(Array.from({ length: concurrency }, work));
      const ms = performance.now() - begin;
      const { rows } = await admin.query(
        `select count(*)::int as done from dbos.workflow_status s where status = 'SUCCESS'
         and (select count(*) from dbos.operation_outputs o where o.workflow_uuid = s.workflow_uuid) = ${steps.length}`,
      );
      if (rows[0].done !== jobs)
        throw new Error(`expected ${jobs} workflows of five steps, got: ${rows[0].done}`);
      return ms;
    },
    async close() {
      await admin.end();
      await DBOS.shutdown();
    },
  };
});
