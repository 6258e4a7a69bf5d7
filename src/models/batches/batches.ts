import type { ModelConfig } from '../../contract/models.ts';
import type { RemoteDependencies } from '../remote/remote.ts';
import type { BatchInterface } from './interface.ts';
import { createOpenaiBatches } from './openai.ts';

/** Returns a provider's interface for batches; undefined if it has none that is known. Error: `ModelRefused`. */
export function batchesOf(config: ModelConfig, deps: RemoteDependencies): BatchInterface | undefined {
  return config.provider === 'openai' ? createOpenaiBatches(config, deps) : undefined;
}
