/** What one operation is like, in the API document: a request as it was sent, and each of its answers. */
export interface OperationExample {
  /** The value of a parameter, wherever it is sent; a list where it is separated by commas. */
  parameters?: Record<string, string | number | string[]>;
  /** By media type. */
  body?: Record<string, unknown>;
  /** By status. */
  answers?: Record<number, unknown>;
  /** By status, where the answer is served as a page too. */
  pages?: Record<number, string>;
}

/** Where a route's author adds an example: what a real service answers there is recorded by `npm run examples`. */
export const examplesTest = 'test/end-to-end/examples.test.ts';
