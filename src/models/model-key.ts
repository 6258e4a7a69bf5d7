import type { ModelConfig } from '../contract/models.ts';

/**
 * What a model is known by where processes share what it allows: `provider/name`, and of an endpoint its address too,
 * since models of one name at two endpoints have nothing to do with each other.
 */
export function modelKeyOf(config: ModelConfig): string {
  const name = `${config.provider}/${config.name}`;
  return config.provider === 'openai' ? `${name}@${new URL(config.baseUrl).href.replace(/\/+$/, '')}` : name;
}
