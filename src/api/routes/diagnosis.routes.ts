import { diagnosisSchema } from '../../contract/schemas.ts';
import type { Diagnosis } from '../../contract/service.ts';
import { onlyOperators } from '../access/role.guards.ts';
import type { Api } from '../http/fastify.types.ts';
import { responses } from '../problems/declared-responses.ts';

/** For operators who wonder what is wrong. */
export function diagnosisRoutes(app: Api, diagnosis: Diagnosis): void {
  const schema = {
    operationId: 'getDiagnosis',
    tags: ['operations'],
    summary: 'What is wrong, and how to mend it',
    description:
      'Database and migrations, locks, clocks, a question to the market-data provider, the proxies of the last ' +
      'session, queue entries against jobs, and lots without a price: each with a verdict, what was seen, and a ' +
      'cure. 200 whatever the verdict. Each check has a deadline of its own; those who ask at once share one answer.',
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
