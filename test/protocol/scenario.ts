import fc from 'fast-check';
import type { Db } from '../../src/store/database.ts';
import { interleave, pausingBeforeCommit } from './interleaving.ts';
import { type Action, operate } from './operator.ts';
import { findWrong } from './oracle.ts';
import { type Rebuild, reindex } from './reindexer.ts';
import type { Steps } from './steps.ts';
import { createWorld, type Nature, type Pause, ProcessDied, type World } from './world.ts';
import { type Batch, write } from './writer.ts';

/** What each process of a simulation does; the choices decide the interleaving. */
export interface Scenario {
  nature: Nature;
  writers: readonly (readonly Batch[])[];
  rebuilds: readonly Rebuild[];
  actions: readonly Action[];
  choices: fc.Stream<number>;
}

const PLAIN: Nature = { isExternal: false, isDerived: false, hasTwoAliases: false };

interface Parts {
  key: fc.Arbitrary<number>;
  text: fc.Arbitrary<number | null>;
  byHand: fc.Arbitrary<boolean>;
  target: fc.Arbitrary<Batch['target']>;
}
const text: fc.Arbitrary<number | null> = fc.option(fc.nat(1), { freq: 2 });
const ALIASES = fc.constantFrom<Batch['target'][]>('first', 'last');
const ALL_TARGETS = fc.constantFrom<Batch['target'][]>('first', 'last', 'side');

/** Writers of one kind of task. */
export function writersOf(over: Partial<Parts> = {}): fc.Arbitrary<Scenario['writers']> {
  const parts: Parts = { key: fc.nat(4), text, byHand: fc.boolean(), target: ALIASES, ...over };
  const changes = fc.array(fc.record({ key: parts.key, text: parts.text }), { minLength: 1, maxLength: 2 });
  const batch = fc.record({ changes, byHand: parts.byHand, target: parts.target });
  return fc.array(fc.array(batch, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });
}

const rebuild: fc.Arbitrary<Rebuild> = fc.record({
  into: fc.constantFrom('new', 'another'),
  replaces: fc.boolean(),
  passes: fc.option(fc.nat(3)),
  turns: fc.constant(0),
});
const turned: fc.Arbitrary<Rebuild> = fc.tuple(rebuild, fc.nat(3)).map(([one, turns]) => ({ ...one, turns }));
const ACTIONS: { [kind in Action['do']]: fc.Arbitrary<Action> } = {
  move: fc.record({ do: fc.constant('move'), alias: fc.nat(1), to: fc.nat(3), expires: fc.boolean() }),
  expire: fc.record({ do: fc.constant('expire') }),
  collect: fc.record({ do: fc.constant('collect'), expires: fc.boolean() }),
  try: fc.record({ do: fc.constant('try'), to: fc.nat(3), key: fc.nat(4), text }),
  replace: fc.record({ do: fc.constant('replace') }),
};

/** Scenarios of one kind of world, with operators that do these things. */
export function scenarioOf(
  nature: Partial<Nature>,
  kinds: readonly Action['do'][],
  over: { [part in 'writers' | 'rebuilds' | 'actions']?: fc.Arbitrary<Scenario[part]> } = {},
): fc.Arbitrary<Scenario> {
  const target = kinds.includes('replace') ? ALL_TARGETS : ALIASES;
  return fc.record({
    nature: fc.constant({ ...PLAIN, ...nature }),
    writers: writersOf({ target }),
    rebuilds: fc.array(rebuild, { minLength: 1, maxLength: 2 }),
    actions:
      kinds.length === 0
        ? fc.constant([])
        : fc.array(fc.oneof(...kinds.map((kind) => ACTIONS[kind])), { minLength: 2, maxLength: 5 }),
    choices: fc.infiniteStream(fc.nat({ max: 999_999 })),
    ...over,
  });
}

const rebuilds = fc.array(turned, { minLength: 1, maxLength: 2 });
/** Everything that can happen, in worlds of each kind. */
export const anything: fc.Arbitrary<Scenario> = fc.oneof(
  scenarioOf({}, [], { rebuilds }),
  scenarioOf({ isDerived: true }, ['move', 'expire'], { rebuilds }),
  scenarioOf({ hasTwoAliases: true }, ['move', 'expire', 'collect', 'try'], { rebuilds }),
  scenarioOf({ isExternal: true }, ['collect', 'expire', 'move', 'try'], { rebuilds }),
  scenarioOf({}, ['replace', 'try', 'collect', 'move'], { rebuilds }),
);

/** Runs a scenario to its end. Throws what is wrong then. */
export async function simulate(...args: Parameters<typeof run>): Promise<World> {
  const world = await run(...args);
  const wrong = await findWrong(world);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return world;
}

async function run(
  db: Db,
  steps: Steps,
  scenario: Scenario,
  breakDatabase: (db: Db) => Db = (same) => same,
): Promise<World> {
  const { nature, writers, rebuilds, actions, choices } = scenario;
  const broken = breakDatabase(db);
  const world = await createWorld(broken, steps, nature);
  const processOf = (what: string, work: (own: World, pause: Pause) => Promise<void>) => (pause: Pause) => {
    const beforeCommit = async () => {
      if ((await pause(`commit of a ${what}`)) === 'die') throw new ProcessDied('before its commit');
    };
    // The processes share what real ones share: only the connection belongs to each.
    const own = new Proxy(world, {
      get: (target, key) =>
        key === 'db' ? pausingBeforeCommit(broken, beforeCommit) : Reflect.get(target, key, target),
      set: (target, key, value) => Reflect.set(target, key, value, target),
    });
    return work(own, pause);
  };
  await interleave(db, () => choices.next().value as number, [
    processOf('reindex', async (own, pause) => {
      for (const one of rebuilds) await reindex(own, one, pause);
    }),
    ...writers.map((batches) => processOf('write', (own, pause) => write(own, batches, pause))),
    (pause) => operate(world, actions, pause),
  ]);
  return world;
}
