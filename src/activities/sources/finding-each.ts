/**
 * Runs `work` on all values together. If it throws an error of one of them, halves the values until that one is found,
 * and passes it to `alone`; the others are not affected.
 */
export async function findingEach<T>(
  values: readonly T[],
  isOfOne: (error: unknown) => boolean,
  { work, alone }: { work: (values: T[]) => Promise<void>; alone: (value: T, error: unknown) => Promise<void> },
): Promise<void> {
  if (values.length === 0) return;
  try {
    await work([...values]);
  } catch (error) {
    if (!isOfOne(error)) throw error;
    const [first] = values;
    if (values.length === 1) return alone(first as T, error);
    const middle = Math.ceil(values.length / 2);
    await findingEach(values.slice(0, middle), isOfOne, { work, alone });
    await findingEach(values.slice(middle), isOfOne, { work, alone });
  }
}
