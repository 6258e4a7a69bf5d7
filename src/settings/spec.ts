import type { z } from 'zod';

/** A setting, as a row of the table. */
export interface SettingSpec<T> {
  /** The environment variable. */
  variable: string;
  meaning: string;
  /** Description of a valid value, as the end of the sentence "… must be". */
  expected: string;
  /** Default value in the form of the environment; null when there is none. */
  default: string | null;
  /** Never shown, and removed from logs. */
  secret: boolean;
  schema: z.ZodType<T, string>;
}

type Texts = Pick<SettingSpec<unknown>, 'meaning' | 'expected'> & { secret?: boolean };

/** Defines a setting that always has a value. */
export function setting<T>(
  variable: string,
  schema: z.ZodType<T, string>,
  byDefault: string,
  { secret = false, ...texts }: Texts,
): SettingSpec<T> {
  return { variable, schema, default: byDefault, secret, ...texts };
}

/** Defines a setting that is null when absent. */
export function optional<T>(
  variable: string,
  schema: z.ZodType<T, string>,
  { secret = false, ...texts }: Texts,
): SettingSpec<T | null> {
  return { variable, schema, default: null, secret, ...texts };
}
