import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answering, deadUrl, headerOf, problem } from '../support/answering.ts';
import { command, documents, startCommand } from '../support/command.ts';
import { temporaryDirectory } from '../support/directories.ts';

const problemType = { 'content-type': 'application/problem+json' };
const saved = JSON.stringify({
  portfolio_id: '01a2049f-bff3-7cc5-8d62-a7647181a6eb',
  status: 'ready',
  pending_symbols: [],
  warnings: [],
  links: {},
});

describe('a command', () => {
  test('ends with 3 where nothing listens, and says what to do', async () => {
    const url = await deadUrl();
    const { code, out, err } = await command(['status', 'AAPL', '--url', url]);
    expect({ code, out }).toEqual({ code: 3, out: [] });
    expect(err).toEqual([
      expect.stringMatching(/ECONNREFUSED.*symbol-onboarding serve.*SYMBOL_ONBOARDING_URL/),
    ]);
    const scripts = await command(['status', 'AAPL', '--json'], { env: { SYMBOL_ONBOARDING_URL: url } });
    expect({ code: scripts.code, err: scripts.err }).toEqual({ code: 3, err: [] });
    expect(documents(scripts.out)).toMatchObject([{ type: 'error', code: 'unreachable', exit_code: 3 }]);
  });

  test('ends with 3 where something else answers, or nothing in time', async () => {
    const gateway = await answering((_, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'));
    const other = await command(['status', 'AAPL', '--url', gateway]);
    expect(other).toMatchObject({
      code: 3,
      err: [expect.stringMatching(/is not from the symbol onboarding service, got: 502/)],
    });
    const silent = await answering(() => {});
    const late = await command(['status', 'AAPL', '--url', silent, '--timeout', '0.2']);
    expect(late).toMatchObject({
      code: 3,
      err: [expect.stringMatching(/No response from .* within 0.2 s\./)],
    });
  });

  test('sends its token as a header and shows it nowhere, also when it is refused with 4', async () => {
    const tokens: (string | undefined)[] = [];
    const url = await answering((request, response) => {
      tokens.push(headerOf(request, 'authorization'));
      response.writeHead(401, problemType).end(problem(401, 'unauthenticated'));
    });
    const file = join(temporaryDirectory(), 'token');
    writeFileSync(file, 'of-a-file\n');
    const runs = [
      await command(['jobs', '--url', url, '--token', 'of-an-option']),
      await command(['jobs', '--url', url, '--json'], {
        env: { SYMBOL_ONBOARDING_TOKEN: 'of-the-environment' },
      }),
      await command(['jobs', '--url', url, '--token-file', file]),
    ];
    expect(runs.map(({ code }) => code)).toEqual([4, 4, 4]);
    expect(tokens).toEqual(['Bearer of-an-option', 'Bearer of-the-environment', 'Bearer of-a-file']);
    // A header that no server would take is refused before anybody says it aloud.
    runs.push(await command(['jobs', '--url', url, '--token', 'of-an-option\nX: y']));
    expect(runs.at(-1)!.code).toBe(2);
    runs.push(await command(['jobs', '--url', 'http://me:of-an-option@127.0.0.1']));
    expect(runs.at(-1)!.code).toBe(2);
    expect(runs.flatMap(({ out, err }) => [...out, ...err]).join('\n')).not.toMatch(/of-a|of-the/);
  });

  test('sends an upload again, with the same key, when the connection was lost on the way', async () => {
    const keys: (string | undefined)[] = [];
    const url = await answering((request, response) => {
      keys.push(headerOf(request, 'idempotency-key'));
      if (keys.length === 1) request.socket.resetAndDestroy();
      else response.writeHead(201, { 'content-type': 'application/json' }).end(saved);
    });
    const { code, out } = await command(['upload', '-', '--url', url], { input: 'Symbol' });
    expect({ code, out }).toEqual({ code: 0, out: [expect.stringMatching(/^Saved portfolio 01a2049f/)] });
    expect(keys).toEqual([expect.stringMatching(/^[\w-]{36}$/), keys[0]]);
    await command(['upload', '-', '--url', url, '--idempotency-key', 'mine']);
    expect(keys[2]).toBe('mine');
  });

  test('asks after its own upload while the service is still at it, whose answer was lost', async () => {
    let asked = 0;
    const url = await answering((request, response) => {
      asked += 1;
      if (asked === 1) request.socket.resetAndDestroy();
      else if (asked > 2) response.writeHead(202, { 'content-type': 'application/json' }).end(saved);
      else {
        response.writeHead(409, problemType);
        response.end(problem(409, 'idempotency_in_flight', { retry_after_seconds: 0 }));
      }
    });
    const { code } = await command(['upload', '-', '--url', url], { input: 'Symbol' });
    expect({ code, asked }).toEqual({ code: 0, asked: 3 });
  });

  test('says what a dry run found, and ends as the upload would', async () => {
    const error = { code: 'ERR_POS_005', message: 'Write it so.', row: 3, column: 'Quantity', value: 'x' };
    const answer = { would: 'rejected', code: 'invalid_rows', detail: 'One problem.', errors: [error] };
    const url = await answering((request, response) => {
      const isDry = request.url?.includes('dry_run=true');
      response.end(JSON.stringify(isDry ? { ...answer, warnings: [] } : {}));
    });
    const { code, out } = await command(['upload', '-', '--dry-run', '--url', url]);
    expect(code).toBe(1);
    expect(out.slice(0, 2)).toEqual(['Nothing was saved. An upload would be: rejected.', 'One problem.']);
    expect(out.at(-1)).toMatch(/^ {2}3 +Quantity +x +ERR_POS_005 +Write it so\.$/);
  });

  test('waits with --wait as long as a full queue says, and no longer than it was told', async () => {
    let asked = 0;
    const url = await answering((_, response) => {
      asked += 1;
      const full = problem(503, 'queue_full', { retry_after_seconds: asked === 1 ? 0 : 60 });
      response.writeHead(503, problemType).end(full);
    });
    const { code, err } = await command(['upload', '-', '--url', url, '--wait', '30']);
    expect(code).toBe(5);
    expect(asked).toBe(2);
    expect(err[0]).toMatch(/It said queue_full\. Trying again at /);
  });

  test('takes no orders from what others wrote: control characters reach no terminal', async () => {
    const url = await answering((_, response) =>
      response
        .writeHead(409, problemType)
        .end(problem(409, 'symbol_busy', { detail: 'a\u001b[2Jb\u0007\nc' })),
    );
    const { err } = await command(['status', 'A', '--url', url]);
    expect(err[0]).toBe('symbol_busy: ab··c');
  });

  test('ends quietly when its reader has enough', async () => {
    const job = { job_id: 'x', symbol: 'AAPL', status: 'failed', outcome: null, phase: 'fetch', attempt: 1 };
    const jobs = Array.from({ length: 5000 }, () => ({ ...job, error: null, created_at: 'then' }));
    const url = await answering((_, response) => response.end(JSON.stringify({ jobs, next_cursor: null })));
    const { child, closed, line } = startCommand(['jobs', '--url', url]);
    child.stdout.once('data', () => child.stdout.destroy());
    line(/never/).catch(() => {});
    expect(await closed).toMatchObject({ code: 0, signal: null, err: [] });
  });
});
