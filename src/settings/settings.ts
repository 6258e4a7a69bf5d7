import { closest } from '../contract/spelling.ts';
import { masked } from './mask.ts';
import { given, readOne, type SettingValues } from './read.ts';
import type { SettingSpec } from './spec.ts';
import { SETTINGS, type SettingName, TEMPORAL_VARIABLES } from './table.ts';
import { readTemporalSettings, type TemporalSettings } from './temporal.ts';

export interface Settings extends SettingValues {
  temporal: TemporalSettings;
  /** The environment that was read; servers and models look up more variables in it. */
  env: NodeJS.ProcessEnv;
}

const SPECS = Object.entries(SETTINGS) as [SettingName, SettingSpec<unknown>][];

/**
 * Reads all settings; called once at process startup.
 * @throws ReembedError `InvalidSetting`: one line with the variable, its value unless it is a secret, and what was
 * expected.
 * @example
 * const settings = readSettings({ ...process.env, REEMBED_PORT: '8000' });
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const values = Object.fromEntries(SPECS.map(([name, spec]) => [name, readOne(spec, env)])) as SettingValues;
  return { ...values, temporal: readTemporalSettings(env), env };
}

export interface SettingRow {
  variable: string;
  /** Value as text, masked for secrets; null when it is not set. */
  value: string | null;
  source: 'default' | 'environment';
  secret: boolean;
  meaning: string;
}

/** Lists all settings with their source, for people; secrets are masked. */
export function describeSettings(env: NodeJS.ProcessEnv): SettingRow[] {
  const temporal = Object.entries(TEMPORAL_VARIABLES).map(([variable, spec]) => ({
    variable,
    default: null,
    secret: false,
    ...spec,
  }));
  return [...SPECS.map(([, spec]) => spec), ...temporal].map(({ variable, default: byDefault, secret, meaning }) => {
    const written = given(env, variable);
    const value = written ?? (byDefault === '' ? null : byDefault);
    return {
      variable,
      value: value !== null && secret ? masked(value) : value,
      source: written === undefined ? 'default' : 'environment',
      secret,
      meaning,
    };
  });
}

/** Returns one line for each variable that looks like a reembed setting but is not one, most often a typo. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = SPECS.map(([, spec]) => spec.variable);
  return Object.keys(env)
    .filter((variable) => variable.startsWith('REEMBED_') && !known.includes(variable))
    .map((variable) => {
      const near = closest(variable, known);
      return `${variable} is not a setting of reembed and has no effect${near ? `; did you mean ${near}?` : ''}`;
    });
}
