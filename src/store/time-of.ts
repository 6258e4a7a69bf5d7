/** Runs some work; returns its result and its duration in ms. */
export async function timeOf<T>(work: () => Promise<T>): Promise<[result: T, ms: number]> {
  const startMs = performance.now();
  const result = await work();
  return [result, performance.now() - startMs];
}
