import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = path.join(ROOT, 'node_modules/.cache/reembed-test');
/** Results of one kind that stay, the last ones used: of branches that are tested in turn. */
const MAX_KEPT = 4;

/**
 * Returns the path of a file or folder, kept from run to run until something that it is made from changes.
 * @param from the files and folders that it is made from, relative to the checkout
 * @param make writes it to the given path
 */
export async function keep(
  { name, from }: { name: string; from: readonly string[] },
  make: (draft: string) => Promise<void>,
): Promise<string> {
  const kept = path.join(CACHE, `${name}-${keyOf(from)}`);
  if (!existsSync(kept)) {
    mkdirSync(CACHE, { recursive: true });
    const draft = path.join(CACHE, `draft-${name}-${process.pid}`);
    try {
      await make(draft);
      renameSync(draft, kept);
    } catch (error) {
      // Another run has made it meanwhile: a folder does not replace one.
      if (!existsSync(kept)) throw error;
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  const now = new Date();
  utimesSync(kept, now, now);
  forgetOld(`${name}-`);
  return kept;
}

function keyOf(from: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of from.flatMap(filesOf))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}

function filesOf(file: string): string[] {
  if (!statSync(path.join(ROOT, file)).isDirectory()) return [file];
  const names = readdirSync(path.join(ROOT, file)).sort();
  return names.flatMap((name) => filesOf(path.join(file, name)));
}

function forgetOld(prefix: string): void {
  const files = readdirSync(CACHE)
    .filter((file) => file.startsWith(prefix))
    .map((file) => path.join(CACHE, file));
  const used = new Map(files.map((file) => [file, statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  const old = files.sort((one, other) => (used.get(other) as number) - (used.get(one) as number)).slice(MAX_KEPT);
  for (const file of old) rmSync(file, { recursive: true, force: true });
}
