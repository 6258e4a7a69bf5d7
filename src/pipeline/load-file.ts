import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { extname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReembedError } from '../contract/errors.ts';
import type { Payload } from '../contract/objects.ts';
import { decodePayload, mediaOf } from './decode.ts';
import { type Admit, NeedsMemory, readLimited } from './read-limited.ts';
import { shownUri } from './uri.ts';

export interface FileOptions {
  /** Folders from which files may be loaded; if empty, no files can be loaded. */
  fileRoots: readonly string[];
  maxBytes: number;
}

const under = (path: string, root: string) => path.startsWith(root.endsWith(sep) ? root : root + sep);

/**
 * Loads a `file:` URI that lies under an allowed root, also after resolving all symbolic links. `.json` is parsed,
 * anything else must be UTF-8 text. Throws `LoadRefused`, `NotFound`, `TooLarge`, `UnsupportedMedia`, or the retryable
 * `LoadFailed`.
 */
export async function loadFile(url: URL, options: FileOptions, signal: AbortSignal, admit?: Admit): Promise<Payload> {
  const what = shownUri(url.href);
  if (options.fileRoots.length === 0) {
    throw new ReembedError('LoadRefused', `${what}: loading files is disabled; allow folders with REEMBED_FILE_ROOTS`);
  }
  const outside = () => new ReembedError('LoadRefused', `${what} is not in a folder of REEMBED_FILE_ROOTS`);
  const asked = pathOf(url, outside);
  const roots = await realRoots(options.fileRoots);
  // Checked before the disk is accessed, so that nobody learns which files exist elsewhere.
  if (![...roots, ...options.fileRoots].some((root) => under(asked, root))) throw outside();
  try {
    const path = await realpath(asked);
    if (!roots.some((root) => under(path, root))) throw outside();
    const bytes = await readFileAt(path, what, options.maxBytes, { signal, admit });
    const contentType = extname(path).toLowerCase() === '.json' ? 'application/json' : undefined;
    return decodePayload(bytes, mediaOf(contentType, what), what);
  } catch (error) {
    throw failureOf(error, what);
  }
}

function pathOf(url: URL, outside: () => ReembedError): string {
  try {
    const path = fileURLToPath(url);
    if (!path.includes('\u0000')) return path;
  } catch {
    // Another host, or an encoded slash: not a path on this machine.
  }
  throw outside();
}

async function realRoots(fileRoots: readonly string[]): Promise<string[]> {
  const real = await Promise.all(fileRoots.map((root) => realpath(root).catch(() => null)));
  return real.filter((root) => root !== null);
}

/** Reads a file; `path` must be free of symbolic links. */
async function readFileAt(
  path: string,
  what: string,
  maxBytes: number,
  { signal, admit }: { signal: AbortSignal; admit?: Admit | undefined },
): Promise<Buffer> {
  const noFile = new ReembedError('LoadRefused', `${what} is not a regular file`);
  // Check before opening, since opening a device may already have an effect.
  if (!(await stat(path)).isFile()) throw noFile;
  // The path may be replaced between the check and the open: follow no link, and do not block on a FIFO.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await isStillAt(handle, path))) throw noFile;
    return await readLimited(handle.createReadStream({ signal, autoClose: false }), maxBytes, what, admit);
  } finally {
    await handle.close();
  }
}

/** Whether the open file is the regular file at `path`, none of whose folders has become a symbolic link. */
async function isStillAt(handle: FileHandle, path: string): Promise<boolean> {
  const [opened, real, found] = await Promise.all([handle.stat(), realpath(path), stat(path)]);
  return opened.isFile() && real === path && opened.ino === found.ino && opened.dev === found.dev;
}

function failureOf(error: unknown, what: string): unknown {
  if (error instanceof ReembedError || error instanceof NeedsMemory) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const options = { cause: error };
  if (code === 'ENOENT' || code === 'ENOTDIR') return new ReembedError('NotFound', `${what} does not exist`, options);
  if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP' || code === 'ENAMETOOLONG' || code === 'ENXIO') {
    return new ReembedError('LoadRefused', `${what} may not be read (${code})`, options);
  }
  return new ReembedError('LoadFailed', `${what} could not be read (${code})`, options);
}
