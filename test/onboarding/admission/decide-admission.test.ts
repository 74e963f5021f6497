import { describe, expect, test } from 'vitest';
import { decideAdmission } from '../../../src/onboarding/admission/decide-admission.ts';
import type { Wanted } from '../../../src/onboarding/job/ports.ts';
import { wantedBy } from '../../../src/upload/wanted-jobs.ts';

const upload = (symbol: string): Wanted => ({ symbol, reason: 'upload' });
const refresh = (symbol: string): Wanted => ({ symbol, reason: 'refresh' });
const beside = (unfinished: string[], depthMax: number) => ({ unfinished: new Set(unfinished), depthMax });

describe('admission', () => {
  test('joins unfinished jobs and adds the others, if all of them fit', () => {
    expect(decideAdmission([upload('A'), upload('B')], beside(['A'], 2))).toEqual({
      kind: 'admissible',
      joined: [upload('A')],
      added: [upload('B')],
    });
  });

  test('adds none if one too many is required, and returns the depth', () => {
    const full = { kind: 'queue_full', depth: 1, limit: 2, needed: 2 };
    expect(decideAdmission([upload('B'), upload('C')], beside(['A'], 2))).toEqual(full);
  });

  test('refuses as too many what does not fit into an empty queue', () => {
    const verdict = decideAdmission(['A', 'B', 'C'].map(upload), beside([], 2));
    expect(verdict).toEqual({ kind: 'too_many_symbols', needed: 3, limit: 2 });
  });

  test('admits refreshes into the remaining room, and leaves out the others', () => {
    const wanted = [refresh('OLD1'), upload('NEW'), refresh('OLD2')];
    expect(decideAdmission(wanted, beside(['A'], 3))).toMatchObject({
      added: [upload('NEW'), refresh('OLD1')],
    });
    expect(decideAdmission([refresh('OLD1')], beside(['A', 'B'], 1))).toMatchObject({
      joined: [],
      added: [],
    });
  });

  test('wants a symbol that has a price only refreshed, should the job that it joins end before', () => {
    const joining = ['NEW', 'OLD'].map((symbol) => ({ symbol, jobId: '' }));
    const rest = { known: [], settled: [], needed: [], shallow: [], rates: [] };
    const detection = { ...rest, stale: ['OLD'], unpriced: ['NEW'], joining };
    expect(wantedBy(detection)).toEqual([upload('NEW'), refresh('OLD')]);
  });
});
