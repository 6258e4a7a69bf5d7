/**
 * Migrations normally only add, so code that does not know them still works. A migration that removes something has a
 * name that says which migration the code must know: `0009_drop_uri_needs_0007` is for code that has not used the
 * column since 0007.
 */
const NEEDS = /_needs_(\d{4})$/;

export interface SchemaFit {
  /** Migrations of this code that the database lacks. */
  missing: string[];
  /** Migrations of newer code that the database has. */
  newer: string[];
  /** The first of the newer ones that this code does not support. */
  unfit: string | undefined;
}

/** Compares the migrations of a database with those of this code. */
export function fitOf(applied: readonly string[], known: readonly string[]): SchemaFit {
  const newer = applied.filter((name) => !known.includes(name));
  const knows = (number: string) => known.some((name) => name.startsWith(`${number}_`));
  return {
    missing: known.filter((name) => !applied.includes(name)),
    newer,
    unfit: newer.find((name) => {
      const [, needed] = NEEDS.exec(name) ?? [];
      return needed !== undefined && !knows(needed);
    }),
  };
}
