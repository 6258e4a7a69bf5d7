/**
 * Migrations only add: code that does not know one works on as before. One that takes away says in its name which migration
 * the code must know by then: `0009_drop_uri_needs_0007` is for code that has not used the column since 0007.
 */
const NEEDS = /_needs_(\d{4})$/;

export interface SchemaFit {
  /** Migrations of this code that the database lacks. */
  missing: string[];
  /** Those that the database has from newer code. */
  newer: string[];
  /** The first of the newer ones that this code does not work with. */
  unfit: string | undefined;
}

/** Holds the migrations that a database has against those that this code knows. */
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
