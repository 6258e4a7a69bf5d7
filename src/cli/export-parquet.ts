import { type FileHandle, open, rm } from 'node:fs/promises';
import type { ExportedObject } from '../contract/export.ts';
import { isWholeParquet } from '../parquet/read.ts';
import { type WrittenGroup, writeParquet } from '../parquet/write.ts';
import { UsageError } from './errors.ts';
import { type ExportTarget, type OpenOptions, openToWrite, requireSameIndex } from './export-file.ts';

/** What an export that broke off has written: the footer of a Parquet file comes last, so nothing in the file says it. */
interface Journal {
  handle: FileHandle;
  groups: WrittenGroup[];
}

const journalOf = (file: string) => `${file}.groups`;

/**
 * Opens a new Parquet file or, to continue, an existing one, which is cut after its last whole row group. The row groups are
 * noted beside it, until it is whole. @throws UsageError if the file cannot be written, is there already, or is of
 * another index, or its notes are missing
 */
export async function openParquet(file: string, options: OpenOptions): Promise<ExportTarget> {
  const { index, isContinued } = options;
  const handle = await openToWrite(file, options);
  try {
    const journal = isContinued ? await findJournal(file, handle, options) : await startJournal(file, options);
    if (journal === 'whole') {
      await handle.close();
      return { after: undefined, isWhole: true, write: async () => {} };
    }
    await handle.truncate(journal.groups.at(-1)?.end ?? 0);
    return {
      after: journal.groups.at(-1)?.lastId,
      isWhole: false,
      async write(objects) {
        await writeGroups(handle, journal, objects, index);
        await rm(journalOf(file));
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeGroups(
  handle: FileHandle,
  { handle: notes, groups }: Journal,
  objects: AsyncIterable<ExportedObject>,
  index: string,
): Promise<void> {
  let at = groups.at(-1)?.end ?? 0;
  try {
    for await (const { bytes, written } of writeParquet(objects, { index, before: groups })) {
      await writeAll(handle, bytes, at);
      at += bytes.length;
      if (!written) continue;
      // Its note may be there only if the row group is.
      await handle.datasync();
      await notes.appendFile(`${JSON.stringify(written, withBigints)}\n`);
    }
    await handle.datasync();
  } finally {
    await notes.close();
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function startJournal(file: string, { index, createTime }: OpenOptions): Promise<Journal> {
  const handle = await open(journalOf(file), 'w');
  await handle.appendFile(`${JSON.stringify({ index, createTime })}\n`);
  return { handle, groups: [] };
}

async function findJournal(file: string, parquet: FileHandle, options: OpenOptions): Promise<Journal | 'whole'> {
  const handle = await open(journalOf(file), 'r+').catch(() => undefined);
  if (!handle) {
    if (await isWholeParquet(file)) return 'whole';
    throw new UsageError(`${file} cannot be continued: ${journalOf(file)}, which says how far it is, is missing`);
  }
  try {
    const { size } = await parquet.stat();
    const [head, ...groups] = wholeLines(await handle.readFile('utf8'));
    const begun = JSON.parse(head ?? '{}') as { index?: unknown; createTime?: unknown };
    if (begun.index !== options.index) {
      const of = JSON.stringify(begun.index);
      throw new UsageError(`${file} cannot be continued: it was begun with ${of}, not with ${options.index}`);
    }
    requireSameIndex(file, begun.createTime, options);
    const parsed = groups.map((line) => JSON.parse(line, intoBigints) as WrittenGroup);
    const there = parsed.filter(({ end }) => end <= size);
    const kept = [head, ...groups.slice(0, there.length)].map((line) => `${line}\n`).join('');
    await handle.truncate(Buffer.byteLength(kept));
    // Appended after what was kept.
    await handle.close();
    return { handle: await open(journalOf(file), 'a'), groups: there };
  } catch (error) {
    await handle.close();
    throw error instanceof SyntaxError
      ? new UsageError(`${journalOf(file)} cannot be read: begin the export again`, { cause: error })
      : error;
  }
}

/** Leaves out a last line that broke off. */
const wholeLines = (text: string) => text.split('\n').slice(0, -1);

const withBigints = (_key: string, value: unknown) => (typeof value === 'bigint' ? { bigint: String(value) } : value);

function intoBigints(_key: string, value: unknown): unknown {
  const text = typeof value === 'object' && value !== null && (value as { bigint?: unknown }).bigint;
  return typeof text === 'string' ? BigInt(text) : value;
}
