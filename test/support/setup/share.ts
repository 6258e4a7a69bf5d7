interface Shared<T> {
  users: number;
  started: Promise<{ value: T; stop(): Promise<void> }>;
}

/** Each project loads its setup files separately, so that what they share cannot be in a module. */
const KEY = Symbol.for('reembed tests: servers of the run');
const { [KEY]: servers = new Map() } = globalThis as { [KEY]?: Map<string, Shared<unknown>> };
Object.assign(globalThis, { [KEY]: servers });

/**
 * Starts a server for the first project of a run that needs it, and stops it with the last one.
 * @returns what it is for the tests, and the function that ends this use of it.
 */
export async function share<T>(
  name: string,
  start: () => Promise<{ value: T; stop(): Promise<void> }>,
): Promise<{ value: T; release(): Promise<void> }> {
  const shared = (servers.get(name) as Shared<T> | undefined) ?? { users: 0, started: start() };
  servers.set(name, shared);
  shared.users += 1;
  const { value, stop } = await shared.started;
  return {
    value,
    async release() {
      shared.users -= 1;
      if (shared.users > 0) return;
      servers.delete(name);
      await stop();
    },
  };
}

/** A line for people. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
