import { sql } from 'kysely';
import { MAIN_DATABASE, NAME_WORDS, type NameKind, queueOfDatabase } from '../../contract/databases.ts';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { Db } from '../../store/database.ts';
import { asAway, type Directory, type Names } from '../../store/placement/directory.ts';
import { hasName } from '../../store/placement/names.ts';
import { within } from '../../store/within.ts';
import type { SearchTogether } from '../search-together.ts';

/** A database with what serves its indexes. */
export interface Place {
  name: string;
  db: Db;
  /** For plans. */
  background: Db;
  taskQueue: string;
  names: Names;
  /** Checks once that the database answers and is the right one. */
  check(): Promise<void>;
  searching: SearchTogether;
}

/** Something that a request names, and the field in which it does. */
export interface Named {
  kind: NameKind;
  name: string;
  field: string;
}

/** Names whose database this process remembers; a name that is not found there is looked for again. */
const MAX_KNOWN = 10_000;
/** A database that has not answered a look for so long is away. */
const LOOK_MS = 5_000;

/**
 * The databases of the system, and which of them has a name. Each is asked for itself, the one that had the name last
 * first: a database that is away delays only names that no other one has. With one database nothing is asked.
 */
export class Places {
  readonly main: Place;
  readonly #others: readonly Place[];
  readonly #directory: Directory | undefined;
  readonly #known = new Map<string, Place>();

  constructor(main: Place, others: readonly Place[] = [], directory?: Directory) {
    this.main = main;
    this.#others = others;
    this.#directory = directory;
  }

  get isSeveral(): boolean {
    return this.#others.length > 0;
  }

  get all(): readonly Place[] {
    return [this.main, ...this.#others];
  }

  /** Returns a database by its name. Error: `InvalidInput` that lists the known ones. */
  get(database: string, field = 'database'): Place {
    const place = this.all.find(({ name }) => name === database);
    if (place) return place;
    const known = this.all.map(({ name }) => name).join(', ');
    throw invalidField(field, `there is no database ${database}: the databases are ${known}`);
  }

  /** Returns the database of a task queue; the main one for others. */
  ofQueue(taskQueue: string): Place {
    return this.#others.find((place) => queueOfDatabase(this.main.taskQueue, place.name) === taskQueue) ?? this.main;
  }

  /**
   * Returns the database that has a name; undefined if none has. Error: `DatabaseUnavailable` that names a database
   * which does not answer and may have it.
   */
  async find(kind: NameKind, name: string): Promise<Place | undefined> {
    if (!this.isSeveral) return this.main;
    const key = `${kind} ${name}`;
    const known = this.#known.get(key);
    if (known && (await this.#look(known, kind, name).catch(() => false))) return known;
    this.#known.delete(key);
    const found = await this.#search(kind, name);
    if (!found) return undefined;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  /** Returns the database that has a name, or the main one, which says that there is no such name. */
  async of(kind: NameKind, name: string): Promise<Place> {
    return (await this.find(kind, name)) ?? this.main;
  }

  /**
   * Returns the database that has all of some names: the given one, or that of the first name which one has. Names that
   * none has are left to the checks of the request. Errors: `InvalidInput` for a name in another database,
   * `DatabaseUnavailable`.
   */
  async agree(named: readonly Named[], database?: string): Promise<Place> {
    let place = database === undefined ? undefined : this.get(database);
    if (!this.isSeveral) return this.main;
    let reason = `the database ${database}`;
    for (const { kind, name, field } of named) {
      const found = await this.find(kind, name);
      if (found && place && found !== place) {
        const where = `${name} is in the database ${found.name}`;
        throw invalidField(field, `must be in ${reason}`, `${field}: ${where}, and must be in ${reason}`);
      }
      if (!found || place) continue;
      place = found;
      reason = `the database ${found.name}, like ${name}`;
    }
    const agreed = place ?? this.main;
    await reach(agreed);
    return agreed;
  }

  /**
   * Reads from all databases, in the order of the names; databases that do not answer are named instead. Error: that of
   * the main one, if none answers.
   */
  async collect<T>(
    read: (place: Place) => Promise<readonly T[]>,
    nameOf: (item: T) => string,
  ): Promise<{ items: T[]; unavailable?: string[] }> {
    if (!this.isSeveral) return { items: [...(await read(this.main))] };
    const reads = await Promise.allSettled(
      this.all.map((place) =>
        withinLook(place, async () => {
          await place.check();
          await sql`select`.execute(place.db);
        }).then(() => named(place, () => read(place))),
      ),
    );
    const unavailable: string[] = [];
    const items: T[] = [];
    for (const [at, outcome] of reads.entries()) {
      if (outcome.status === 'fulfilled') items.push(...outcome.value);
      else if (isAway(outcome.reason)) unavailable.push(this.all[at]?.name ?? '');
      else throw outcome.reason;
    }
    if (unavailable.length === this.all.length) throw (reads[0] as PromiseRejectedResult).reason;
    items.sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
    return unavailable.length === 0 ? { items } : { items, unavailable };
  }

  async #look(place: Place, kind: NameKind, name: string): Promise<boolean> {
    return withinLook(place, async () => {
      await place.check();
      return hasName(place.db, kind, name);
    });
  }

  /** Asks all at once; the first that has the name is the only one. */
  async #search(kind: NameKind, name: string): Promise<Place | undefined> {
    const looks = this.all.map(async (place) => {
      if (await this.#look(place, kind, name)) return place;
      throw new NotHere();
    });
    try {
      return await Promise.any(looks);
    } catch (error) {
      const away = this.all.flatMap((place, at) => {
        const why = (error as AggregateError).errors[at];
        return why instanceof NotHere ? [] : [{ place, why }];
      });
      return this.#decide(kind, name, away);
    }
  }

  /** Nobody who answers has the name: the directory knows whether one that does not answer has it. */
  async #decide(kind: NameKind, name: string, away: { place: Place; why: unknown }[]): Promise<undefined> {
    if (away.length === 0) return undefined;
    const [first] = away;
    if (away.some(({ place }) => place === this.main)) throw away.find(({ place }) => place === this.main)?.why;
    const holder = await this.#directory?.databaseOf(kind, name);
    const silent = away.find(({ place }) => place.name === holder);
    if (!silent) return undefined;
    if (!isAway(silent.why)) throw silent.why;
    throw new ReembedError(
      'DatabaseUnavailable',
      `the database ${holder}, which has the ${NAME_WORDS[kind]} ${name}, does not answer`,
      { cause: first?.why },
    );
  }
}

class NotHere extends Error {}

/** Waits for the first check of a database. Error: `DatabaseUnavailable` with its name. */
async function reach(place: Place): Promise<void> {
  await withinLook(place, () => place.check());
}

/** Returns true if a database does not answer. */
function isAway(error: unknown): boolean {
  return error instanceof ReembedError && error.type === 'DatabaseUnavailable';
}

/** Errors: those of `work`; `DatabaseUnavailable` with the name of the database if it does not answer in time. */
function withinLook<T>(place: Place, work: () => Promise<T>): Promise<T> {
  const late = new ReembedError('DatabaseUnavailable', `the database ${place.name} does not answer`);
  return named(place, () => within(LOOK_MS, work, late));
}

/** Names the database in the error of one that does not answer. */
async function named<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asAway(error, place.name);
  }
}

/** The place of an app with one database. */
export function onlyPlace(place: Omit<Place, 'name' | 'names' | 'check'>, names: Names): Place {
  return { ...place, name: MAIN_DATABASE, names, check: async () => {} };
}
