/** The part of jstat that is used here; it brings no types of its own. */
declare module 'jstat' {
  const jStat: {
    studentt: {
      /** The t with P(T <= t) = `probability`, for `degrees` of freedom. */
      inv(probability: number, degrees: number): number;
    };
  };
  export default jStat;
}
