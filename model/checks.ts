/** One complete check of `protocol.pml`: the macros that disable rules or bound events, and the expected result. */
export interface ModelCheck {
  name: string;
  /** Macros of the model. */
  defines: Record<string, number>;
  /** `none`: the protocol holds. `violation`: a rule is missing, and the checker must detect it. */
  expects: 'none' | 'violation';
}

const small = { OPS: 1, CRASHES: 1, EXPIRIES: 1, MOVES: 1, RUNS: 1 };
const variant = (name: string, macro: string, defines: Record<string, number> = {}): ModelCheck => ({
  name: `without ${name}`,
  defines: { ...small, ...defines, [macro]: 1 },
  expects: 'violation',
});

/** Each variant breaks the protocol, so the checker finds a violation. They take seconds. */
export const VARIANTS: readonly ModelCheck[] = [
  variant('gates', 'NO_GATE'),
  variant('draining and its check at the cut-over', 'NO_DRAIN'),
  variant('the version of the source on forwards', 'NEW_VERSION'),
  variant('tombstones', 'NO_TOMBSTONES'),
  variant('the fence of the lock uuid', 'NO_FENCE', { COLLECTIONS: 1, MOVES: 0 }),
  variant('the refusal of a destination with its own content', 'A2'),
  variant('the stored fact that a retired index is current', 'A3'),
  variant('the end of an expired lock at an alias move', 'A4'),
  variant('draining and its check at a roll back', 'A5', { TURNS: 1, MOVES: 0 }),
];

/** The whole protocol, each time with more trouble of another kind. Together they take minutes. */
export const WHOLE: readonly ModelCheck[] = [
  { name: 'a crash, an expiry and an alias move', defines: small, expects: 'none' },
  {
    name: 'a crash, an expiry and the collection of tombstones',
    defines: { ...small, MOVES: 0, COLLECTIONS: 1 },
    expects: 'none',
  },
  { name: 'an expiry and two alias moves', defines: { ...small, CRASHES: 0, MOVES: 2 }, expects: 'none' },
  {
    name: 'two reindexes and an alias move',
    defines: { ...small, CRASHES: 0, EXPIRIES: 0, RUNS: 2 },
    expects: 'none',
  },
  {
    name: 'a crash, an expiry, a roll back and the way forward again',
    defines: { ...small, MOVES: 0, TURNS: 2 },
    expects: 'none',
  },
  {
    name: 'a roll back beside an alias move',
    defines: { ...small, CRASHES: 0, TURNS: 1 },
    expects: 'none',
  },
  {
    name: 'three tasks and an alias move',
    defines: { ...small, OPS: 2, CRASHES: 0, EXPIRIES: 0 },
    expects: 'none',
  },
];

/** The whole protocol in some seconds, for the tests. */
export const QUICK: ModelCheck = {
  name: 'the whole protocol, without crashes',
  defines: { ...small, CRASHES: 0 },
  expects: 'none',
};
