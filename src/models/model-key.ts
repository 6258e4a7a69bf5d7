import type { ModelConfig } from '../contract/models.ts';
import { endpointOf } from './remote/endpoint.ts';

/**
 * Returns the key under which processes share the limits of a model: `provider/name`, plus the address of an endpoint,
 * since models of one name at two endpoints are unrelated.
 */
export function modelKeyOf(config: ModelConfig): string {
  const name = `${config.provider}/${config.name}`;
  if (!('timeoutMs' in config)) return name;
  const { href } = new URL(endpointOf(config).baseUrl);
  return `${name}@${href.endsWith('/') ? href.slice(0, -1) : href}`;
}
