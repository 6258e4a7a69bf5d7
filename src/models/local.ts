import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Embedder, EmbedOptions, EmbedPurpose } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import {
  LOCAL_DIMENSIONS,
  LOCAL_FILES,
  LOCAL_MODELS,
  LOCAL_PACKAGES,
  type LocalModel,
  type LocalModelName,
} from '../contract/local-models.ts';
import { moduleBeside } from '../cpu/module-beside.ts';
import { untilAborted, WorkerPool } from '../cpu/worker-pool.ts';
import type { LocalAnswer, LocalRequest } from './local-thread.ts';

/** Each thread holds a model of its own, about 300 MB while it works. */
const MAX_THREADS = 2;
/** About a second of work on one processor, so that a search does not wait long behind documents. */
const MAX_TEXTS = 16;
const MAX_CHARS = 20_000;
/** A longer text is about 60 KB of English, and takes several seconds. */
const MAX_WINDOWS = 64;
/** Longer than this many windows of any language: refused before its tokens are counted, which takes memory. */
const MAX_TEXT_CHARS = 1_000_000;

type Threads = WorkerPool<LocalRequest, LocalAnswer>;

/** Searches have a thread of their own: they do not wait behind a reindex. */
const pools: Partial<Record<EmbedPurpose, Threads>> = {};

function threadsFor(purpose: EmbedPurpose): Threads {
  const max = purpose === 'query' ? 1 : Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1));
  pools[purpose] ??= new WorkerPool(moduleBeside(import.meta.url, 'local-thread'), { max });
  return pools[purpose];
}

/**
 * Runs a request in a thread. Aborting does not end the thread: it would have to load the model again, and on a slow
 * machine no search would ever get an answer.
 */
async function inThread(
  purpose: EmbedPurpose,
  request: Omit<LocalRequest, 'stopped'>,
  signal?: AbortSignal,
): Promise<LocalAnswer> {
  signal?.throwIfAborted();
  const stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const stop = () => Atomics.store(stopped, 0, 1);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await untilAborted(threadsFor(purpose).run({ ...request, stopped }), signal);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Returns the folder of a model's files. */
export function localFolderOf(modelsDir: string, name: LocalModelName): string {
  // The hash names the version: another one is installed beside it.
  return path.join(modelsDir, `${name}-${LOCAL_MODELS[name].jar.sha256.slice(0, 12)}`);
}

export function isLocalInstalled(modelsDir: string, name: LocalModelName): boolean {
  return Object.values(LOCAL_FILES).every((file) => existsSync(path.join(localFolderOf(modelsDir, name), file)));
}

/**
 * Creates the embedder of an installed model, which runs in threads (ONNX Runtime, WebAssembly). A text that is longer
 * than the window is read in windows, whose vectors are averaged: nothing is cut. Error: `ModelNotFound` if the model is
 * not installed.
 */
export function createLocalEmbedder(name: string, modelsDir: string | undefined): Embedder {
  if (!Object.hasOwn(LOCAL_MODELS, name)) {
    const known = Object.keys(LOCAL_MODELS).join(', ');
    throw new ReembedError('ModelNotFound', `The provider "local" has the models ${known}, not "${name}"`);
  }
  const known = name as LocalModelName;
  if (modelsDir === undefined || !isLocalInstalled(modelsDir, known)) throw notInstalled(name, modelsDir);
  const model: LocalModel = LOCAL_MODELS[known];
  const request = (texts: readonly string[]): Omit<LocalRequest, 'stopped'> => {
    const { pooling, window } = model;
    return { folder: localFolderOf(modelsDir, known), pooling, window, texts, maxWindows: MAX_WINDOWS };
  };
  return {
    dimensions: LOCAL_DIMENSIONS,
    maxTexts: MAX_TEXTS,
    maxChars: MAX_CHARS,
    async embed(texts: readonly string[], { purpose, signal }: EmbedOptions) {
      if (texts.some((text) => text.length > MAX_TEXT_CHARS)) {
        throw problemOf(name, { problem: 'too-long', message: `a text has more than ${MAX_TEXT_CHARS} characters` });
      }
      const prefix = purpose === 'query' ? model.queryPrefix : '';
      const given = prefix === '' ? texts : texts.map((text) => prefix + text);
      const answer = await inThread(purpose, request(given), signal);
      if (!('vectors' in answer)) throw problemOf(name, answer);
      const { vectors } = answer;
      return texts.map((_, at) => Array.from(vectors.subarray(at * LOCAL_DIMENSIONS, (at + 1) * LOCAL_DIMENSIONS)));
    },
    async countTokens(texts) {
      const answer = await inThread('document', { ...request(texts), countOnly: true });
      if (!('tokens' in answer)) throw problemOf(name, answer);
      return answer.tokens;
    },
  };
}

function notInstalled(name: string, modelsDir: string | undefined): ReembedError {
  const where = modelsDir === undefined ? '' : ` in ${modelsDir}`;
  const command = `reembed models install ${name}`;
  return new ReembedError('ModelNotFound', `The model "${name}" is not installed${where}: run \`${command}\``);
}

function problemOf(name: string, answer: LocalAnswer): ReembedError {
  if (!('problem' in answer)) return new ReembedError('Internal', 'the thread of a local model gave another answer');
  const { problem, message } = answer;
  if (problem === 'too-long') return new ReembedError('ModelRejectedInput', `The model "${name}": ${message}`);
  const command = problem === 'packages' ? `npm install ${LOCAL_PACKAGES.join(' ')}` : `reembed models install ${name}`;
  return new ReembedError('ModelNotFound', `The model "${name}" cannot be loaded (${message}): run \`${command}\``);
}
