/** Returns what `run` returns, or throws an error if that takes longer than `ms` milliseconds; `run` continues then. */
export async function within<T>(ms: number, run: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms);
  });
  return Promise.race([run(), late]).finally(() => clearTimeout(timer));
}
