import { presetOf } from '../contract/model-presets.ts';

/**
 * Returns how many tokens of one text a model reads, as configured or else as known: infinite for the built-in models,
 * undefined if it is unknown.
 */
export function windowOf(model: { provider: string; name: string; windowTokens?: number | undefined }) {
  const { provider, name, windowTokens } = model;
  // The model `local` reads longer texts in several windows.
  if (provider === 'hash' || provider === 'words' || provider === 'local') return Number.POSITIVE_INFINITY;
  return windowTokens ?? (provider === 'custom' ? undefined : presetOf(name)?.windowTokens);
}
