import { expect, test } from 'vitest';
import { jobQueries } from '../../src/onboarding/queries/job.query.ts';
import { startNode } from '../onboarding/fixture.ts';
import { seedJobs } from '../onboarding/many-jobs.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';

describeOnEveryDatabase('the counts of jobs', (makeDatabase) => {
  test('hold the jobs of the version before, and what its nodes do while they still run', async () => {
    const database = await makeDatabase();
    const { migrator } = database.orm;
    await migrator.down({ to: 'Migration20261126013500' });
    await seedJobs(database, { jobs: 300 });
    await migrator.up();
    const counts = async () => (await jobQueries(database).totals()).counts;
    const seeded = { pending: 0, processing: 4, completed: 292, failed: 3, cancelled: 1 };
    expect(await counts()).toEqual(seeded);
    const node = await startNode(database);
    await node.admit(['AAPL']);
    const [taken] = await node.jobs.claim(1);
    await node.walk(taken!, 'processing.fetch.running', 'failed');
    expect(await counts()).toEqual({ ...seeded, failed: 4 });
  });
});
