import { actorExamples } from './examples-actors.ts';
import { onboardingExamples } from './examples-onboarding.ts';
import { portfolioExamples } from './examples-portfolios.ts';
import { serviceExamples } from './examples-service.ts';
import { symbolExamples } from './examples-symbols.ts';

/** What one operation is like, in the API document: one request, and one of each of its answers. */
export interface OperationExample {
  /** The value of a parameter, wherever it is sent; a list where it is separated by commas. */
  parameters?: Record<string, string | number | boolean | string[]>;
  /** By media type. */
  body?: Record<string, unknown>;
  /** By status. */
  answers?: Record<number, unknown>;
  /** By status, where the answer is served as a page too. */
  pages?: Record<number, string>;
}

/** By operation id. Each value is held to its schema by a test, so none can become untrue unnoticed. */
export const examples: Record<string, OperationExample> = {
  ...serviceExamples,
  ...portfolioExamples,
  ...symbolExamples,
  ...onboardingExamples,
  ...actorExamples,
};
