import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemCatalog } from '../../../src/api/problems/problem-catalog.ts';
import { rowProblemCatalog } from '../../../src/contract/row-problem-catalog.ts';
import { jobErrorCatalogue } from '../../../src/onboarding/job/job-error-catalog.ts';
import { ask, serve } from '../serve.ts';

const html = { headers: { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' } };

describe('the error catalogue', () => {
  test('has every code of answers, rows and jobs', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}/problems`);
    expect(status).toBe(200);
    expect(headers.get('vary')).toBe('accept');
    const codes = body.problems.map(({ code }: { code: string }) => code);
    expect(new Set(codes)).toEqual(
      new Set([problemCatalog, rowProblemCatalog, jobErrorCatalogue].flatMap((one) => Object.keys(one))),
    );
    expect(codes).toHaveLength(new Set(codes).size);
  });

  test('depends on who asks too, where other pages may ask', async () => {
    const origin = 'https://app.example';
    const { url } = await serve({ corsOrigins: [origin] });
    for (const path of ['/problems', '/problems/not_found']) {
      const { headers } = await ask(url + path, { headers: { origin } });
      expect(headers.get('vary')).toBe('Origin, accept');
    }
  });

  test('tells a program what a code means, how to mend it and which operations answer it', async () => {
    const { url } = await serve();
    const { body } = await ask(`${url}/problems/queue_full`);
    expect(body).toMatchObject({
      code: 'queue_full',
      type: '/problems/queue_full',
      status: 503,
      title: 'Onboarding queue is full',
      found_in: ['answer'],
    });
    expect(body.operations).toContain('uploadPortfolio');
    expect(body.operations).not.toContain('getIndex');
    const rows = await ask(`${url}/problems/ERR_POS_006`);
    expect(rows.body).toMatchObject({ status: null, found_in: ['rows'], operations: ['uploadPortfolio'] });
    const job = await ask(`${url}/problems/provider_timeout`);
    expect(job.body).toMatchObject({
      found_in: ['answer', 'job'],
      job_title: 'The provider did not answer in time',
    });
  });

  test('is where the type of a refusal leads', async () => {
    const { url } = await serve();
    const { body } = await ask(`${url}/nowhere`);
    const { status } = await ask(url + body.type);
    expect(status).toBe(200);
  });

  test('is a page to a browser: complete, escaped, without scripts', async () => {
    const { url } = await serve();
    const list = await fetch(`${url}/problems`, html);
    expect(list.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const text = await list.text();
    for (const code of Object.keys(rowProblemCatalog)) expect(text).toContain(`href="/problems/${code}"`);
    const one = await fetch(`${url}/problems/too_many_symbols`, html);
    expect(one.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    const page = await one.text();
    expect(page).toContain('at most <code>limit</code> new symbols');
    expect(page).toContain('<code>uploadPortfolio</code>');
    expect(page).not.toMatch(/<script|https?:/);
    const quoted = await fetch(`${url}/problems/ERR_CSV_002`, html);
    expect(await quoted.text()).toContain('&quot;CSV UTF-8 (comma delimited)&quot;');
  });

  test('has no page for a code that nobody answers', async () => {
    const { url } = await serve();
    for (const code of ['nonsense', 'toString', '__proto__', '%3Cscript%3E']) {
      const { status, headers, body } = await ask(`${url}/problems/${code}`, html);
      expect([status, body.code]).toEqual([404, 'not_found']);
      expect(headers.get('content-type')).toContain('application/problem+json');
    }
  });

  test('knows every code with which a job or a market-data provider fails', () => {
    const root = `${import.meta.dirname}/../../../`;
    const paths = globSync('{machines,src/{market,onboarding,factors}}/**/*.ts', { cwd: root });
    const said = paths.flatMap((path) => {
      const source = readFileSync(root + path, 'utf8');
      return [...source.matchAll(/(?:new AppError\(\s*|\bcode: )'([a-z_]+)'/g)].map(([, code]) => code!);
    });
    // These never reach the job: its node has lost it, it is over already, or the start was refused.
    const internal = ['claim_lost', 'job_cancelled', 'queue_conflict', 'job_not_found', 'provider_mismatch'];
    expect(said).toContain('delisted');
    expect(
      said.filter(
        (code) => !(code in jobErrorCatalogue) && !(code in problemCatalog) && !internal.includes(code),
      ),
    ).toEqual([]);
  });
});
