import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';

/** Refuses whoever is no operator, before the request's body or parameters are looked at. */
export async function onlyOperators({ viewer }: FastifyRequest): Promise<void> {
  if (viewer.role === 'operator') return;
  throw new AppError('operators_only', `Expected an operator, got the user ${viewer.name}.`);
}
