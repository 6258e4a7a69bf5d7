import type { ModelConfig } from '../contract/models.ts';

/**
 * Returns the key under which processes share the limits of a model: `provider/name`, plus the address of an endpoint,
 * since models of one name at two endpoints are unrelated.
 */
export function modelKeyOf(config: ModelConfig): string {
  const name = `${config.provider}/${config.name}`;
  if (config.provider !== 'openai') return name;
  const { href } = new URL(config.baseUrl);
  return `${name}@${href.endsWith('/') ? href.slice(0, -1) : href}`;
}
