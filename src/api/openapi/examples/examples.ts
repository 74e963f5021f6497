import { actorExamples } from './actor-examples.ts';
import { onboardingExamples } from './onboarding-examples.ts';
import { portfolioExamples } from './portfolio-examples.ts';
import { serviceExamples } from './service-examples.ts';
import { symbolExamples } from './symbol-examples.ts';

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
