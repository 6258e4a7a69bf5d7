import { closest } from '../contract/spelling.ts';
import { given } from './environment.ts';
import { readOne, type SettingValues } from './read-setting.ts';
import { masked } from './secrets.ts';
import { SETTINGS, type SettingName, type SettingSpec, TEMPORAL_VARIABLES } from './settings-table.ts';
import { readTemporalSettings, type TemporalSettings } from './temporal-settings.ts';

export interface Settings extends SettingValues {
  temporal: TemporalSettings;
  /** What was read: servers and models look for further variables in it. */
  env: NodeJS.ProcessEnv;
}

const SPECS = Object.entries(SETTINGS) as [SettingName, SettingSpec<unknown>][];

/**
 * Reads all settings, once at the start of a process.
 * @throws ReembedError `InvalidSetting`: one line with the variable, its value unless that is a secret, and what was
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
  /** As text; of a secret only whether there is one; null when it is not set. */
  value: string | null;
  source: 'default' | 'environment';
  secret: boolean;
  meaning: string;
}

/** All settings with where they come from, for people: secrets are masked. */
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

/** One line for each variable that looks like a setting of reembed and is none: most often a slip of the pen. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = SPECS.map(([, spec]) => spec.variable);
  return Object.keys(env)
    .filter((variable) => variable.startsWith('REEMBED_') && !known.includes(variable))
    .map((variable) => {
      const near = closest(variable, known);
      return `${variable} is not a setting of reembed and has no effect${near ? `; did you mean ${near}?` : ''}`;
    });
}
