import { type ProblemCode, problemCatalog } from '../problems/problem-catalog.ts';

/** `components.examples`: one problem of each code, as it was recorded. */
export function problemExamples(
  codes: readonly ProblemCode[],
  recorded: Readonly<Record<string, object>>,
): Record<string, object> {
  const ascending = [...codes].sort();
  return Object.fromEntries(
    ascending.map((code) => {
      const { title, fix } = problemCatalog[code];
      return [code, { summary: title, description: fix, value: recorded[code] }];
    }),
  );
}
