import { defineConfig } from 'vitest/config';
import type { Vite } from 'vitest/node';
import { SlowestFirst } from './test/support/slowest-first.ts';

const SETUP = 'test/support/setup';

/** The folder or the suffix of a file says which servers it needs. All other files are unit tests. */
const STORE = ['test/{activities,protocol,store}/**/*.test.ts', 'test/**/*.db.test.ts'];
const TEMPORAL = [
  'test/{jobs,temporal,workflows}/**/*.test.ts',
  'test/api/{contract,tasks}/**/*.test.ts',
  'test/**/*.temporal.test.ts',
];
const SYSTEM = [
  'test/{backup,dashboard,docs,e2e,examples,providers,torture,upgrade}/**/*.test.ts',
  'test/{runtime,support}/servers/**/*.test.ts',
  'test/**/*.system.test.ts',
];
/** These measure the memory of processes under load, which tests beside them would change. */
const ALONE = ['test/hostile/**/*.test.ts'];

/**
 * Leaves the modules of the setup files out of the cache of compiled modules: Vitest 4.1 reads these as bytes, and fails
 * where an error needs their source map.
 */
const compileSetup: Vite.Plugin = {
  name: 'compile-setup',
  configureVitest: ({ experimental_defineCacheKeyGenerator: define }) =>
    define(({ environment }) => (environment.name === '__vitest__' ? false : undefined)),
};

export default defineConfig({
  plugins: [compileSetup],
  // Examples import the package by its name.
  resolve: { tsconfigPaths: true },
  test: {
    // For what hangs: a test of many processes takes a minute on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Loading the modules takes longer than most files run, so that the files of a worker share them.
    isolate: false,
    pool: 'forks',
    // Tests are marked as concurrent when they wait, and for nothing else.
    maxConcurrency: 30,
    maxWorkers: 2,
    sequence: { sequencer: SlowestFirst },
    experimental: {
      // Compiling the modules takes a third of the unit tests' time. `npx vitest --clearCache` empties it.
      fsModuleCache: true,
      fsModuleCachePath: 'node_modules/.cache/vitest-modules',
    },
    // A limit for what hangs, too.
    expect: { poll: { timeout: 90_000 } },
    // The Temporal client retries a call on a timer even after its connection was closed. A process ignores it, too.
    onUnhandledError: ({ message }) => message !== 'Channel has been shut down',
    projects: [
      project('unit', 0, ['test/**/*.test.ts'], {
        exclude: [...STORE, ...TEMPORAL, ...SYSTEM, ...ALONE],
        maxWorkers: 3,
      }),
      project('store', 1, STORE, { setup: ['postgres', 'pglite'], maxWorkers: 3 }),
      project('temporal', 2, TEMPORAL, { setup: ['postgres', 'temporal', 'build'], maxWorkers: 4 }),
      project('system', 3, SYSTEM, {
        setup: ['postgres', 'pglite', 'temporal', 'build', 'dashboard'],
        maxWorkers: 3,
      }),
      project('alone', 4, ALONE, { maxWorkers: 1 }),
    ],
  },
});

interface ProjectOptions {
  /** The servers that are started for it, once for the whole run. */
  setup?: string[];
  exclude?: string[];
  /** More than there are processors where tests mostly wait. */
  maxWorkers?: number;
}

/** Projects run one after the other. */
function project(
  name: string,
  groupOrder: number,
  include: string[],
  { setup = [], exclude = [], maxWorkers = 2 }: ProjectOptions = {},
) {
  const globalSetup = setup.map((server) => `${SETUP}/${server}.ts`);
  return {
    extends: true as const,
    test: { name, include, exclude, globalSetup, maxWorkers, sequence: { groupOrder } },
  };
}
