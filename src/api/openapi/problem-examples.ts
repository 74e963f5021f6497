import { type ProblemCode, problemCatalogue } from '../problems/problem-catalog.ts';

/** `components.examples`: one problem of each code, as it was recorded. */
export function problemExamples(
  codes: readonly ProblemCode[],
  recorded: Readonly<Record<string, object>>,
): Record<string, object> {
  const ascending = [...codes].sort();
  return Object.fromEntries(
    ascending.map((code) => {
      const { title, cure } = problemCatalogue[code];
      return [code, { summary: title, description: cure, value: recorded[code] }];
    }),
  );
}
