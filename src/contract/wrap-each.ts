type Run = (...args: unknown[]) => Promise<unknown>;

/** Returns the same activities, each wrapped: `wrapper` is called instead, with the activity and its arguments. */
export function wrapEach<T extends object>(
  activities: T,
  wrapper: (run: Run, args: unknown[], name: string) => Promise<unknown>,
): T {
  const wrapped = Object.entries(activities as Record<string, Run>).map(([name, run]) => [
    name,
    (...args: unknown[]) => wrapper(run, args, name),
  ]);
  return Object.fromEntries(wrapped) as T;
}
