import { ReembedError } from '../contract/errors.ts';
import { given } from './environment.ts';
import { SETTINGS, type SettingName, type SettingSpec } from './settings-table.ts';

export type SettingValues = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends SettingSpec<infer T> ? T : never;
};

/** One setting alone: not all programs need all of them, and should not fail for those of others. */
export function readSetting<Name extends SettingName>(name: Name, env: NodeJS.ProcessEnv): SettingValues[Name] {
  return readOne(SETTINGS[name] as SettingSpec<unknown>, env) as SettingValues[Name];
}

/** @throws ReembedError `InvalidSetting` */
export function readOne(spec: SettingSpec<unknown>, env: NodeJS.ProcessEnv): unknown {
  const written = given(env, spec.variable) ?? spec.default;
  if (written === null) return null;
  const result = spec.schema.safeParse(written);
  if (result.success) return result.data;
  const value = spec.secret ? '' : ` is ${JSON.stringify(written)}, but`;
  throw new ReembedError('InvalidSetting', `${spec.variable}${value} must be ${spec.expected}`);
}
