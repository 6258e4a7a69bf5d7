import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReembedError } from '../../contract/errors.ts';
import { identify, isRunning, type ProcessIdentity, thisPlace } from './identity.ts';

/** Releases the lock; a second call does nothing. */
export type Release = () => Promise<void>;

export type LockResult = { locked: true; release: Release } | { locked: false; pid: number };

/** Interval in which a holder touches its file, for processes that cannot see it (another container or host). */
const BEAT_MS = 1_000;
/** A holder that we cannot see counts as dead if it has not touched its file for this time. */
const SILENCE_MS = 4_000;
/** Max. time to decide between candidates. It takes milliseconds; a suspended candidate then counts as the holder. */
const SETTLE_MS = 5_000;

/**
 * Locks the folder `dir` (which contains nothing else) against other processes, or returns the pid of the holder.
 *
 * Node has no flock, and with "create a file, remove it when its owner is dead", a slow process can remove the file of
 * a new owner. So no process ever removes the file of a live process: each candidate *first* writes its own file and
 * *then* reads the files of the others. Of two concurrent candidates, at least one sees the other, and the one with the
 * lower name wins. Files of dead processes are ignored, so a killed holder is replaced immediately.
 */
export async function tryLock(dir: string): Promise<LockResult> {
  await mkdir(dir, { recursive: true });
  const name = randomUUID();
  const own = path.join(dir, `${name}.json`);
  const draft = path.join(dir, `${name}.draft`);
  const identity = JSON.stringify(await identify(process.pid));
  const deadline = Date.now() + SETTLE_MS;

  for (;;) {
    // Written to a draft and renamed, so that nobody reads a partial file.
    await writeFile(draft, identity);
    await rename(draft, own);
    const verdict = await settle(dir, name, deadline);
    if (verdict === 'locked') break;
    await rm(own, { force: true });
    if (verdict !== 'retreat') return { locked: false, pid: verdict };
    await sleep(5 + Math.random() * 20);
  }

  await writeFile(path.join(dir, `${name}.held`), '');
  const beat = setInterval(() => void utimes(own, new Date(), new Date()).catch(() => {}), BEAT_MS);
  beat.unref();
  return {
    locked: true,
    release: async () => {
      clearInterval(beat);
      await rm(own, { force: true });
      await rm(path.join(dir, `${name}.held`), { force: true });
    },
  };
}

/** Like {@link tryLock}, but waits for the lock until the signal aborts; `onWait` is called once with the holder. */
export async function waitForLock(dir: string, onWait: (pid: number) => void, signal?: AbortSignal): Promise<Release> {
  for (let first = true; ; first = false) {
    signal?.throwIfAborted();
    const result = await tryLock(dir);
    if (result.locked) return result.release;
    if (first) onWait(result.pid);
    await sleep(100);
  }
}

/**
 * Makes this process the only owner of a data directory until it releases the lock or ends, even by a crash.
 * @throws ReembedError `DataDirInUse` with the folder and the process that holds it.
 */
export async function lockDataDir(dir: string): Promise<Release> {
  const result = await tryLock(path.join(dir, '.lock'));
  if (result.locked) return result.release;
  throw new ReembedError(
    'DataDirInUse',
    `${path.resolve(dir)} is in use by another process (pid ${result.pid}): stop that one first, or choose another folder with --data-dir (REEMBED_DATA_DIR)`,
  );
}

/** Checks the other candidates until the winner is clear: this process, or the one whose pid is returned. */
async function settle(dir: string, name: string, deadline: number): Promise<'locked' | 'retreat' | number> {
  for (;;) {
    const others = await livingOthers(dir, name);
    const first = others[0];
    if (first === undefined) return 'locked';
    for (const other of others) {
      if (await exists(path.join(dir, `${other.name}.held`))) return other.pid;
    }
    if (Date.now() > deadline) return first.pid;
    if (others.some((other) => other.name < name)) return 'retreat';
    await sleep(5);
  }
}

/** Returns the other live candidates; removes the files of dead ones (names are never reused). */
async function livingOthers(dir: string, name: string): Promise<{ name: string; pid: number }[]> {
  const living: { name: string; pid: number }[] = [];
  for (const file of await readdir(dir)) {
    if (!file.endsWith('.json') || file === `${name}.json`) continue;
    const other = file.slice(0, -'.json'.length);
    const owner = await livingOwner(path.join(dir, file));
    if (owner) living.push({ name: other, pid: owner.pid });
    else for (const ending of ['json', 'held']) await rm(path.join(dir, `${other}.${ending}`), { force: true });
  }
  return living;
}

async function livingOwner(file: string): Promise<ProcessIdentity | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  let owner: ProcessIdentity;
  try {
    owner = JSON.parse(text);
  } catch {
    // Files appear complete; a partial one results from a crash of the machine, which its writer did not survive.
    return null;
  }
  const living = owner.place === (await thisPlace()) ? await isRunning(owner) : await showsItself(file);
  return living ? owner : null;
}

/** Returns whether the holder keeps touching its file; takes up to {@link SILENCE_MS} if it was just touched. */
async function showsItself(file: string): Promise<boolean> {
  const touched = async () => (await stat(file).catch(() => null))?.mtimeMs;
  const before = await touched();
  while (before !== undefined && Date.now() - before < SILENCE_MS) {
    await sleep(200);
    const now = await touched();
    if (now !== before) return now !== undefined;
  }
  return false;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
