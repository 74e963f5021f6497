import { beforeAll, expect, test } from 'vitest';
import type { JobDetailView, PortfolioView, Problem } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { access } from '../support/access.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';
import { authTokens } from '../support/tokens.ts';

const missing = '01890000-0000-7000-8000-000000000000';
const routesFor = (who: string) => Object.keys(access).filter((route) => access[route] === who);

describeOnEveryDatabase('owners', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = () => startService(database, { settings: { AUTH_TOKENS: authTokens } });
  const uploaded = async (service: TestService, ...symbols: string[]) => {
    const { body } = await service.upload<Uploaded>(csvOf(...symbols));
    await service.settled(body.portfolio_id);
    return body.portfolio_id;
  };
  const listed = async (service: TestService) => {
    const { body } = await service.get<{ portfolios: PortfolioView[] }>('/portfolios');
    return body.portfolios.map(({ portfolio_id }) => portfolio_id);
  };
  const call = (service: TestService, route: string, id: string) => {
    const [method = '', path = ''] = route.split(' ');
    const url = path.replace(':id', id);
    return method === 'GET' ? service.get<Problem>(url) : service.send<Problem>(method as 'POST', url);
  };
  /** What an answer tells, less what it repeats of the request. */
  const told = ({ status, body }: { status: number; body: Problem }, id: string) => [
    status,
    { ...body, request_id: '', instance: '', detail: body.detail.replace(id, '') },
  ];

  test('see and change their own portfolios only; another’s is as if there were none', async () => {
    const service = await start();
    const [ann, bob, olga] = [service.as('ann'), service.as('bob'), service.as('olga')];
    const annas = await uploaded(ann, 'OWNED');
    const bobs = await uploaded(bob, 'OWNED', 'OTHER');

    expect([await listed(ann), await listed(bob), await listed(olga)]).toEqual([
      [annas],
      [bobs],
      [bobs, annas],
    ]);
    expect(routesFor('owners').length).toBeGreaterThanOrEqual(5);
    for (const route of routesFor('owners')) {
      const foreign = await call(bob, route, annas);
      expect(foreign, route).toMatchObject({ status: 404, body: { code: 'portfolio_not_found' } });
      expect(told(foreign, annas), route).toEqual(told(await call(bob, route, missing), missing));
      expect((await call(service, route, annas)).status, route).toBe(401);
    }
    for (const route of routesFor('owners').filter((one) => one.startsWith('GET'))) {
      expect((await call(ann, route, annas)).status, route).toBe(200);
      expect((await call(olga, route, annas)).status, route).toBe(200);
    }
    const jobsOf = (id: string) => bob.get<Problem>(`/onboarding/jobs?portfolio_id=${id}`);
    expect(told(await jobsOf(annas), annas)).toEqual(told(await jobsOf(missing), missing));
    expect((await jobsOf(annas)).status).not.toBe(200);
    expect((await jobsOf(bobs)).status).toBe(200);
    expect((await ann.portfolio(annas)).owner).toBe('ann');
    expect((await bob.send('DELETE', `/portfolios/${bobs}`)).status).toBe(204);
    expect(await listed(olga)).toEqual([annas]);
    expect((await olga.send('DELETE', `/portfolios/${annas}`)).status).toBe(204);
    expect(await listed(olga)).toEqual([]);
  });

  test('share what is known of symbols, and may not operate their jobs', async () => {
    const service = await start();
    const [ann, bob, olga] = [service.as('ann'), service.as('bob'), service.as('olga')];
    const id = await uploaded(ann, 'NOTEFAIL', 'NEW1');
    const job = await bob.job('NEW1');
    expect(job).toMatchObject({ status: 'failed' });
    expect(JSON.stringify(job)).not.toMatch(new RegExp(`ann|${id}`));
    for (const route of routesFor('operators').filter((one) => one.startsWith('POST'))) {
      const refused = await call(ann, route, job.job_id);
      expect(refused, route).toMatchObject({ status: 403, body: { code: 'operators_only' } });
    }
    const retried = await olga.post<JobDetailView>(`/onboarding/jobs/${job.job_id}/retry`);
    expect(retried.status).toBe(202);
    await service.transition(
      ({ to, job_id, sequence }) => job_id === job.job_id && to === 'failed' && sequence > job.sequence,
    );
    expect((await olga.post('/onboarding/pause')).status).toBe(200);
    expect((await olga.post('/onboarding/resume')).status).toBe(200);
  });
});
