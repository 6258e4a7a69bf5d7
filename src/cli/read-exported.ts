import { type ExportedObject, exportedObjectSchema } from '../contract/export.ts';
import { isParquet, readParquet } from '../parquet/read.ts';
import { UsageError } from './errors.ts';
import type { Io } from './output.ts';
import { readItems } from './read-items.ts';

/**
 * Opens a file of `reembed export`, lines or Parquet, and yields its objects. `onRead` receives the bytes read and the size
 * of the file. Errors, naming the file and the place in it: `UsageError`, `InvalidInput`.
 */
export async function readExported(
  file: string,
  io: Io,
  onRead?: (bytes: number, all: number) => void,
): Promise<AsyncGenerator<ExportedObject>> {
  // A file that cannot be read is reported below.
  const begins = file !== '-' && (await isParquet(file).catch(() => undefined));
  if (begins === false && file.endsWith('.parquet')) {
    throw new UsageError(`${file} is no Parquet file: it does not begin as one`);
  }
  return objectsOf(begins ? await readParquet(file, onRead) : await readItems(file, io, onRead), file);
}

async function* objectsOf(values: AsyncIterable<unknown>, file: string): AsyncGenerator<ExportedObject> {
  let place = 0;
  for await (const value of values) {
    place += 1;
    const { data, error } = exportedObjectSchema.safeParse(value);
    if (!data) {
      const { path = [], message = '' } = error.issues[0] ?? {};
      throw new UsageError(`${file}, object ${place}: ${path.join('.')} ${message}: no exported object`);
    }
    yield data;
  }
}
