import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import { breaches } from '../support/api-answers.ts';
import { type ApiReader, type Operation, readDocument } from '../support/api-document.ts';
import {
  type ApiRequest,
  exampleRequests,
  invalidRequests,
  type Seeds,
  send,
  validRequests,
} from '../support/api-requests.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const soaking = Boolean(process.env.SOAK);
const numRuns = soaking ? 300 : 6;
const seed = 20261122;

// Who asks so often is one client.
const settings = { RATE_LIMIT_PER_MINUTE: '1000000000', UPLOAD_RATE_LIMIT_PER_MINUTE: '1000000000' };

/** A service in which there is something to ask after, and the names of it. */
async function lived(service: TestService): Promise<Seeds> {
  const portfolios: string[] = [];
  for (const symbols of [
    ['AAPL', 'MSFT'],
    ['AAPL', 'EMPTY'],
    ['^GSPC', 'NEW13'],
  ]) {
    const { body } = await service.upload<Uploaded>(csvOf(...symbols));

    portfolios.push(body.portfolio_id);
    await service.settled(body.portfolio_id);
  }
  const { body } = await service.get<{ jobs: { job_id: string }[] }>('/onboarding/jobs');
  const jobs = body.jobs.map(({ job_id }) => job_id);
  return ({ path }, name) => {
    if (name === 'id') return path.startsWith('/portfolios') ? portfolios : jobs;
    if (name === 'portfolio_id') return portfolios;
    if (name === 'symbol') return ['AAPL', 'brk.b', 'EMPTY', '^GSPC', 'EURUSD=X', 'NOPE1', 'NEVER'];
    if (name === 'code') return ['queue_full', 'ERR_POS_001', 'delisted'];
    return [];
  };
}

describeOnDatabase('pglite', 'the API document', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('holds for every operation, whatever it is sent', {
    timeout: soaking ? 1_800_000 : 90_000,
  }, async () => {
    const service = await startService(database, { faults: 'EMPTY=empty', settings });
    const seeds = await lived(service);
    const reader = await readDocument(service.url);
    const failures: string[] = [];
    for (const operation of lastingFirst(reader.operations)) {
      const check = (requests: fc.Arbitrary<ApiRequest> | null, verdict: Verdict, examples: ApiRequest[]) =>
        held(service, reader, { requests, verdict, examples });
      failures.push(
        ...(await check(validRequests(operation, reader, seeds), any, exampleRequests(operation, seeds))),
        ...(await check(invalidRequests(operation, reader, seeds), refusal, [])),
      );
    }
    expect(failures).toEqual([]);
  });
});

/** What deletes comes last: the others want to find something. */
const lastingFirst = (operations: Operation[]) =>
  operations.toSorted((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));

type Verdict = (response: Response) => string | null;

const any: Verdict = () => null;
const refusal: Verdict = ({ status }) =>
  status >= 400 && status < 500 ? null : `What the document does not allow was answered ${status}`;

interface Held {
  requests: fc.Arbitrary<ApiRequest> | null;
  verdict: Verdict;
  /** Sent first. */
  examples: ApiRequest[];
}

/** What some of the requests were answered that the document does not say: one report, or none. */
async function held(
  { url }: TestService,
  reader: ApiReader,
  { requests, verdict, examples }: Held,
): Promise<string[]> {
  if (requests === null) return [];
  const property = fc.asyncProperty(requests, async (request) => {
    const response = await send(url, request);
    const found = [verdict(response), ...(await breaches(response, request.operation, reader))];
    const wrong = found.filter((one) => one !== null);
    if (wrong.length > 0) {
      const { operation: _, ...sent } = request;
      throw new Error(`${wrong.join('\n')}\nsent: ${JSON.stringify(sent)}`);
    }
  });
  // A request has one thing wrong about it: there is little to shrink, and each step asks the service again.
  const outcome = await fc.check(property, {
    numRuns: numRuns + examples.length,
    seed,
    endOnFailure: true,
    examples: examples.map((example): [ApiRequest] => [example]),
  });
  if (!outcome.failed) return [];
  return [String((outcome.errorInstance as Error | null)?.message ?? `no case: ${outcome.numSkips} skipped`)];
}
