import { describe, expect, test } from 'vitest';
import { classified } from '../../src/database/classify-error.ts';

const failed = (code: string) => Object.assign(new Error('so says the driver'), { code });

describe('an error of the database', () => {
  test.each([
    ['25006', 'the server at that address is a standby now'],
    ['53300', 'it has no connection left'],
    ['57014', 'somebody cancelled the statement, or it took too long'],
    ['57P03', 'it is starting up'],
    ['ECONNREFUSED', 'nobody listens'],
    ['EAI_AGAIN', 'its name cannot be resolved for now'],
    ['ENETUNREACH', 'the network is away'],
  ])('is an outage, which passes: %s, %s', (code) => {
    const wrapped = new Error('a layer above', { cause: failed(code) });
    for (const error of [failed(code), wrapped])
      expect(classified(error)).toMatchObject({ code: 'database_unavailable', retryable: true });
  });

  test.each(['40001', '40P01', '55P03'])('is a conflict, which another try may win: %s', (code) => {
    expect(classified(failed(code))).toMatchObject({ code: 'database_conflict', retryable: true });
  });

  test.each(['22P05', '23505', '42703'])('is ours, and stays as it is: %s', (code) => {
    const error = failed(code);
    expect(classified(error)).toBe(error);
  });
});
