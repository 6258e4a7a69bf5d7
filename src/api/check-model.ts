import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';

/** Creates models from configurations. */
export interface ModelMaker {
  embedder(config: ModelConfig): Embedder;
}

const PATHS: Readonly<Record<string, string>> = { ModelNotFound: 'name', ModelWrongDimension: 'dimensions' };

/** Checks that a model can be created. Here a failure is the caller's, not the provider's. Error: `InvalidInput`. */
export function checkModel(models: ModelMaker, config: ModelConfig, field: string): void {
  try {
    models.embedder(config);
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    const path = error.issues[0]?.path ?? PATHS[error.type];
    if (path === undefined) throw error;
    const issues = [{ path: `${field}.${path}`, message: error.message }];
    throw new ReembedError('InvalidInput', `${field}.${path}: ${error.message}`, { issues, cause: error });
  }
}
