import { diagnosisSchema } from '../../contract/schemas.ts';
import type { Diagnosis } from '../../contract/service.ts';
import { onlyOperators } from '../access/role.guards.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../problems/declared-responses.ts';

/** Health checks with evidence and advice, for operators. */
export function diagnosisRoutes(app: Api, diagnosis: Diagnosis): void {
  const schema = {
    operationId: 'getDiagnosis',
    tags: ['operations'],
    summary: 'What is wrong, and how to fix it',
    description:
      'Checks database and migrations, locks, clocks, the market-data provider, the proxies of the last session, queue ' +
      'entries against jobs, and lots without a price. Each check has a verdict, its evidence, and how to fix it ' +
      '(`cure`). The status is always 200. Each check has its own timeout; concurrent requests share one run.',
    response: responses({ 200: diagnosisSchema }, ['operators_only']),
  };
  let running: ReturnType<Diagnosis> | null = null;
  app.get('/onboarding/diagnosis', { schema, onRequest: onlyOperators }, async () => {
    running ??= diagnosis().finally(() => {
      running = null;
    });
    return running;
  });
}
