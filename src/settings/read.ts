import { ReembedError } from '../contract/errors.ts';
import type { SettingSpec } from './spec.ts';
import { SETTINGS, type SettingName } from './table.ts';

export type SettingValues = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends SettingSpec<infer T> ? T : never;
};

/** Reads one setting, so that a program does not fail because of settings that it does not need. */
export function readSetting<Name extends SettingName>(name: Name, env: NodeJS.ProcessEnv): SettingValues[Name] {
  return readOne(SETTINGS[name] as SettingSpec<unknown>, env) as SettingValues[Name];
}

/** Reads and validates one setting. @throws ReembedError `InvalidSetting` */
export function readOne(spec: SettingSpec<unknown>, env: NodeJS.ProcessEnv): unknown {
  const written = given(env, spec.variable) ?? spec.default;
  if (written === null) return null;
  const result = spec.schema.safeParse(written);
  if (result.success) return result.data;
  const value = spec.secret ? '' : ` is ${JSON.stringify(written)}, but`;
  throw new ReembedError('InvalidSetting', `${spec.variable}${value} must be ${spec.expected}`);
}

/** Returns the value of a variable. An empty one counts as not set, as in an env file. */
export function given(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const value = env[variable]?.trim();
  return value === '' ? undefined : value;
}
