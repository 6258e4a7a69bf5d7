import type { Logger } from 'pino';
import { MAIN_DATABASE, NAME_WORDS, queueOfDatabase } from '../contract/databases.ts';
import { ReembedError } from '../contract/errors.ts';
import { databaseUrls } from '../settings/databases.ts';
import type { Settings } from '../settings/settings.ts';
import type { DatabaseObserver, Db } from '../store/database.ts';
import { Directory, type Names } from '../store/placement/directory.ts';
import { markMain, markNamed, requireMain, requireNamed } from '../store/placement/identity.ts';
import { migrateDatabase, openDivided, requireMigrated } from './database.ts';

/** A database on which indexes are placed, with what works on it. */
export interface PlacedDatabase {
  name: string;
  url: string | null;
  db: Db;
  /** For work that yields to live work. */
  background: Db;
  /** Task queue of what concerns its indexes. */
  taskQueue: string;
  /** Creates names in it. */
  names: Names;
  /** Checks once that it answers and is what the settings say; a failed check is repeated by the next call. */
  check(): Promise<void>;
}

export interface PlacedDatabases {
  main: PlacedDatabase;
  /** Those of `REEMBED_DATABASES`. */
  others: PlacedDatabase[];
  directory: Directory;
  /** Closes the others. */
  close(): Promise<void>;
}

interface Main {
  db: Db;
  background: Db;
}

interface OpenOptions {
  log: Logger;
  observer?: DatabaseObserver | undefined;
  /** Connections for background work, of those of one database. */
  forBackground: number;
}

/** Opens the databases of `REEMBED_DATABASES` beside the main one, without connecting yet. */
export function openFurther(
  settings: Settings,
  main: Main,
  { log, observer, forBackground }: OpenOptions,
): PlacedDatabases {
  const opened = [...databaseUrls(settings)].map(([name, url]) => ({
    ...{ name, url },
    ...openDivided(settings, url, { forBackground, log, observer }),
  }));
  const directory = new Directory(
    new Map([{ name: MAIN_DATABASE, ...main }, ...opened].map(({ name, db }) => [name, db])),
  );
  const placed = (name: string, url: string | null, { db, background }: Main, check: () => Promise<void>) => ({
    ...{ name, url, db, background, check: once(check) },
    taskQueue: queueOfDatabase(settings.taskQueue, name),
    names: directory.namesOf(name),
  });
  const known = opened.map(({ name }) => name);
  return {
    directory,
    main: placed(MAIN_DATABASE, settings.databaseUrl, main, async () => {
      await requireMigrated(main.db);
      await requireMain(main.db, known);
    }),
    others: opened.map(({ name, url, ...own }) =>
      placed(name, url, own, async () => {
        await requireMigrated(own.db, variableOf(settings, name));
        await requireNamed(main.db, own.db, name);
      }),
    ),
    async close() {
      await Promise.all(opened.map((one) => one.close()));
    },
  };
}

/**
 * Migrates the databases of `REEMBED_DATABASES`, and lets them belong to the main one. Returns the migrations that ran,
 * by database.
 * @throws ReembedError the first problem, after the other databases were migrated
 */
export async function migrateFurther(settings: Settings, main: Db, log: Logger): Promise<Record<string, string[]>> {
  const ran: Record<string, string[]> = {};
  if (settings.databases.length === 0) return ran;
  await markMain(main);
  const { others, directory, close } = openFurther(settings, { db: main, background: main }, { log, forBackground: 0 });
  const problems: unknown[] = [];
  try {
    for (const { name, db } of others) {
      try {
        ran[name] = await migrateDatabase(db, variableOf(settings, name));
        await markNamed(main, db, name);
        requireNoneTaken(name, await directory.adopt(name));
      } catch (error) {
        problems.push(error);
      }
    }
  } finally {
    await close();
  }
  if (problems.length > 0) throw problems[0];
  return ran;
}

function requireNoneTaken(name: string, taken: Awaited<ReturnType<Directory['adopt']>>): void {
  const [first] = taken;
  if (!first) return;
  const more = taken.length === 1 ? '' : `, and ${taken.length - 1} more names`;
  throw new ReembedError(
    'InvalidSetting',
    `the databases ${first.database} and ${name} both have the ${NAME_WORDS[first.kind]} ${first.name}${more}: delete it in one of them, or leave ${name} out of REEMBED_DATABASES`,
  );
}

function variableOf({ databases }: Settings, name: string): string | undefined {
  return databases.find((one) => one.name === name)?.variable;
}

/** Runs a check until it has succeeded once. Callers share one that runs. */
function once(check: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= check().catch((error) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
