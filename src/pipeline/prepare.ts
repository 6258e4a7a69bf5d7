import pLimit from 'p-limit';
import { Pace } from '../cpu/pace.ts';
import { contentHasher, haveSameText } from './content-hash.ts';
import { embedPortions } from './embed-portions.ts';
import { failureFrom } from './failure.ts';
import { Deferred, LoadGroup } from './load-group.ts';
import { loadWithRetries } from './load-with-retries.ts';
import { partsMaker } from './parts-of.ts';
import type { PrepareOptions } from './prepare-options.ts';
import type { Prepared, PrepareItem } from './prepared.ts';
import type { Admit } from './read-limited.ts';
import { resolveReady } from './ready.ts';
import { assertStorable } from './storable.ts';
import { alive, changed, type Work } from './work.ts';

const LOADS_AT_ONCE = 8;
const LOAD_ATTEMPTS = 10;

/**
 * Loads, splits and embeds a batch of objects (a few hundred), as many at a time as memory allows. Each object fails
 * alone, with its stage and reason. Yields the finished objects each time the model stops the work, so that they can be
 * written before `wait` is called, and as often as `yieldEveryMs` says; without `wait`, it then throws the model's
 * error. Yields at least one portion, each in the order of `items`. Rejects if the signal is aborted, or if `known` or
 * `wait` rejects.
 */
export async function* prepareObjects(
  items: readonly PrepareItem[],
  options: PrepareOptions,
): AsyncGenerator<Prepared, void> {
  options.signal?.throwIfAborted();
  const all: Work[] = items.map((item) => ({
    item,
    key: '',
    hash: '',
    unchanged: false,
    payloadChanged: false,
    parts: [],
    vectors: [],
    reused: 0,
  }));
  let left = all;
  // Without items there is one empty portion.
  do {
    const group = new LoadGroup(options.signal);
    try {
      const deferred = await loadSome(left, group, options);
      const works = deferred.size === 0 ? left : left.filter((work) => !deferred.has(work));
      left = left.filter((work) => deferred.has(work));
      await resolveAll(works, options);
      await markUnchanged(alive(works), options);
      await splitAll(changed(works), options);
      yield* embedPortions(works, options);
      for (const work of works)
        Object.assign(work, { payload: undefined, parts: [], vectors: [], resolved: undefined });
    } finally {
      group.release();
    }
  } while (left.length > 0);
}

/** Loads as many objects as the group has room for; returns the others, which belong to the next group. */
async function loadSome(all: Work[], group: LoadGroup, options: PrepareOptions): Promise<Set<Work>> {
  const { loader, signal, sleep, loadAttempts: attempts = LOAD_ATTEMPTS } = options;
  // A slot is held for one attempt, not during the wait for the next: a host that is down does not block the others.
  const limit = pLimit(LOADS_AT_ONCE);
  const deferred = new Set<Work>();
  const loadOne = async (work: Work): Promise<void> => {
    const load = (admit?: Admit) => loader({ uri: work.item.uri }, { signal, admit });
    let tries = 0;
    try {
      const tryOnce = () => limit(() => group.load(tries++ === 0, load));
      work.payload = await loadWithRetries(tryOnce, { attempts, signal, sleep });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Deferred) deferred.add(work);
      else work.failed = failureFrom('load', error);
    }
  };
  await Promise.all(all.filter((work) => !takeGiven(work)).map(loadOne));
  return deferred;
}

/** Takes a payload that came with the item, which needs no load; returns false if there is none. */
function takeGiven(work: Work): boolean {
  const { payload } = work.item;
  if (payload === undefined || payload === null) return false;
  try {
    assertStorable(payload);
    work.payload = payload;
  } catch (error) {
    work.failed = failureFrom('load', error);
  }
  return true;
}

async function resolveAll(works: Work[], options: PrepareOptions): Promise<void> {
  const hashOf = contentHasher(options.config);
  const pace = new Pace();
  for (const work of alive(works)) {
    const { payload = '', item } = work;
    const { metadata = {}, ready } = item;
    const hash = hashOf(payload, { pace, metadata });
    work.hash = typeof hash === 'string' ? hash : await hash;
    if (pace.isDue) await pace.breathe();
    if (!ready) continue;
    const resolved = await resolveReady({ ready, payload, metadata, plain: work.hash }, options);
    if ('failed' in resolved) work.failed = resolved.failed;
    else Object.assign(work, { resolved, hash: resolved.hash });
  }
}

async function markUnchanged(all: Work[], { known }: PrepareOptions): Promise<void> {
  if (known === undefined || all.length === 0) return;
  const hashes = await known(all.map(({ item }) => item.id));
  for (const work of all) {
    const stored = hashes.get(work.item.id);
    // Vectors that came along may differ for the same text.
    const isSame =
      work.resolved && 'vectors' in work.resolved ? stored === work.hash : haveSameText(stored ?? '', work.hash);
    work.unchanged = stored !== undefined && isSame;
    work.payloadChanged = work.unchanged && stored !== work.hash;
  }
}

async function splitAll(all: Work[], options: PrepareOptions): Promise<void> {
  const pace = new Pace();
  const makeParts = partsMaker(options);
  for (const work of all) {
    options.signal?.throwIfAborted();
    const { resolved, payload = '', item } = work;
    if (resolved && 'texts' in resolved) work.parts = resolved.texts;
    if (resolved && !('usual' in resolved)) continue;
    const making = makeParts(payload, item.metadata);
    const split = making instanceof Promise ? await making : making;
    if ('failed' in split) work.failed = split.failed;
    else work.parts = split;
    if (pace.isDue) await pace.breathe();
  }
}
