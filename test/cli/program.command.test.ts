import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { deadUrl } from '../support/answering.ts';
import { command, documents, olderNode } from '../support/command.ts';

describe('symbol-onboarding', () => {
  test.each([
    [[], /Usage: symbol-onboarding/],
    [['uplaod'], /unknown command 'uplaod'/],
    [['upload'], /missing required argument 'file'/],
    [['upload', '/no/such/file.csv'], /Cannot read the file .*ENOENT/],
    [['upload', 'x.csv', '--watch', '--dry-run'], /cannot be used with/],
    [['status', 'AAPL', '--timeout', 'soon'], /Allowed: seconds above 0/],
    [['jobs', '--limit', '0'], /whole number from 1/],
    [['jobs', '--url', 'ftp://here'], /begins with http/],
  ])('ends %j with 2, on standard error only', async (words, said) => {
    const { code, out, err } = await command(words);
    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err.join('\n')).toMatch(said);
    expect(err.join('\n')).not.toMatch(/^ {4}at /m);
  });

  test('says with --json what it did not understand as JSON', async () => {
    const { code, out, err } = await command(['upload', '--json']);
    expect({ code, err }).toEqual({ code: 2, err: [] });
    expect(documents(out)).toEqual([
      {
        type: 'error',
        code: 'usage',
        message: "missing required argument 'file'",
        exit_code: 2,
        problem: null,
      },
    ]);
  });

  test('prints help and version on standard output; serve with every setting', async () => {
    expect(await command(['--version'])).toMatchObject({
      code: 0,
      out: [manifest.version],
    });
    const { code, out } = await command(['serve', '--help']);
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/ONBOARDING_QUEUE_DEPTH +maximum number of unfinished jobs/);
  });
});

describe('the launcher', () => {
  test('hands over to the Node of the package `node`: words, standard input and exit code', async () => {
    const { code, err } = await command(['upload', '-', '--url', await deadUrl(), '--json'], {
      nodeOptions: olderNode,
      input: 'Symbol',
    });
    expect({ code, err }).toEqual({ code: 3, err: [] });
  });
});
