import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { ModelLimits } from '../contract/model-limits.ts';
import type { ModelConfig } from '../contract/models.ts';
import { batchesOf } from './batches/batches.ts';
import type { BatchInterface } from './batches/interface.ts';
import { type CustomModel, createCustomEmbedder } from './custom.ts';
import { createHashEmbedder } from './hash.ts';
import { type CallLimiter, createLimitedEmbedder } from './limited.ts';
import { createLocalEmbedder } from './local.ts';
import { modelKeyOf } from './model-key.ts';
import { createObservedEmbedder, type ModelObserver } from './observed.ts';
import { createPace, type Learned } from './pace.ts';
import { createPacedEmbedder } from './paced.ts';
import { isFree } from './prices.ts';
import { createRemoteEmbedder, type RemoteDependencies } from './remote/remote.ts';
import { createTellingEmbedder } from './tell-apart.ts';
import { createWordsEmbedder } from './words.ts';

const HASH_NAME = 'hash-v1';
const WORDS_NAME = 'glove-100d-30k';

export interface ModelsOptions extends RemoteDependencies {
  /** The program's own models, by the `name` that a `custom` model is configured with. */
  custom?: Readonly<Record<string, CustomModel>>;
  /** Keeps calls within the limits of their models; default: no limits. */
  limiter?: CallLimiter;
  /** The limits of models, by `provider/name`. */
  limits?: ModelLimits;
  /** Folder of the installed models of the provider `local`; default: none are installed. */
  localModelsDir?: string;
  /** Observes every call. */
  observer?: ModelObserver;
}

export interface Models {
  /**
   * Returns the embedder of a model; the same config gives the same object. Does not yet use the network or read files
   * or keys. Throws `ModelNotFound` for a name that is not built in or registered, `ModelWrongDimension` if known
   * already.
   */
  embedder(config: ModelConfig): Embedder;
  /** Returns the interface for batches of a model's provider; undefined if it has none. Error: `ModelRefused`. */
  batches?(config: ModelConfig): BatchInterface | undefined;
}

/**
 * Creates the set of all models that one process can use.
 *
 * @example
 * const models = createModels({ env: process.env, custom: { mistral: mistral.textEmbeddingModel('mistral-embed') } });
 * const [vector] = await models.embedder(config).embed(['a lion'], { purpose: 'query' });
 */
export function createModels(options: ModelsOptions): Models {
  const embedders = new Map<string, Embedder>();
  const paces = new Map<string, Learned>();
  const paced = (embedder: Embedder, config: ModelConfig): Embedder => {
    if (isFree(config)) return embedder;
    const key = modelKeyOf(config);
    const pace = paces.get(key) ?? createPace('timeoutMs' in config ? config.timeoutMs : undefined);
    paces.set(key, pace);
    return createPacedEmbedder(createTellingEmbedder(embedder), pace);
  };
  return {
    embedder(config) {
      const key = JSON.stringify(Object.entries(config).sort(([left], [right]) => (left < right ? -1 : 1)));
      const embedder =
        embedders.get(key) ??
        paced(limited(observed(createEmbedder(config, options), config, options), config, options), config);
      embedders.set(key, embedder);
      return embedder;
    },
    batches: (config) => batchesOf(config, options),
  };
}

function observed(embedder: Embedder, { provider, name }: ModelConfig, { observer }: ModelsOptions): Embedder {
  return observer ? createObservedEmbedder(embedder, { provider, name }, observer) : embedder;
}

function limited(embedder: Embedder, config: ModelConfig, { limiter, limits = {}, observer }: ModelsOptions): Embedder {
  const { provider, name } = config;
  if (limiter === undefined || isFree(config)) return embedder;
  const stated = `${provider}/${name}`;
  const limit = Object.hasOwn(limits, stated) ? limits[stated] : undefined;
  const onWait = observer && ((waitMs: number) => observer.waited({ provider, name }, waitMs));
  return createLimitedEmbedder(embedder, { model: modelKeyOf(config), limit, limiter, onWait });
}

function createEmbedder(config: ModelConfig, options: ModelsOptions): Embedder {
  switch (config.provider) {
    case 'hash':
      checkBuiltInName(config, HASH_NAME);
      return createHashEmbedder(config.dimensions);
    case 'words':
      checkBuiltInName(config, WORDS_NAME);
      return createWordsEmbedder();
    case 'local':
      return createLocalEmbedder(config.name, options.localModelsDir);
    case 'custom':
      return createCustomEmbedder(config.name, config.dimensions, findCustom(config.name, options.custom ?? {}));
    default:
      return createRemoteEmbedder(config, options);
  }
}

function checkBuiltInName({ provider, name }: { provider: string; name: string }, known: string): void {
  if (name === known) return;
  throw new ReembedError('ModelNotFound', `The provider "${provider}" has the model "${known}", not "${name}"`);
}

function findCustom(name: string, custom: Readonly<Record<string, CustomModel>>): CustomModel {
  const model = Object.hasOwn(custom, name) ? custom[name] : undefined;
  if (model !== undefined) return model;
  const names = Object.keys(custom).sort();
  const known = names.length === 0 ? 'none is registered' : `registered are ${names.map((n) => `"${n}"`).join(', ')}`;
  throw new ReembedError('ModelNotFound', `This process has no custom model "${name}"; ${known}`);
}
