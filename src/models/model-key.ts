import type { ModelConfig } from '../contract/models.ts';

/**
 * What a model is known by where processes share what it allows: `provider/name`, and of an endpoint its address too,
 * since models of one name at two endpoints have nothing to do with each other.
 */
export function modelKeyOf(config: ModelConfig): string {
  const name = `${config.provider}/${config.name}`;
  if (config.provider !== 'openai') return name;
  const { href } = new URL(config.baseUrl);
  return `${name}@${href.endsWith('/') ? href.slice(0, -1) : href}`;
}
