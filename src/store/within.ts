/** Returns what `run` returns, or throws `late` if that takes longer than `ms` milliseconds; `run` continues then. */
export async function within<T>(
  ms: number,
  run: () => Promise<T>,
  late: Error = new Error(`no answer within ${ms / 1_000} s`),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), ms);
  });
  return Promise.race([run(), timeUp]).finally(() => clearTimeout(timer));
}
