import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';

/** Refuses viewers that are not operators, before body and parameters are validated. */
export async function onlyOperators({ viewer }: FastifyRequest): Promise<void> {
  if (viewer.role === 'operator') return;
  throw new AppError('operators_only', `${viewer.name} is not an operator.`);
}
