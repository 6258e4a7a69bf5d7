import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Tokenizer } from '@huggingface/tokenizers';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { messageOf } from '../contract/errors.ts';
import { LOCAL_FILES } from '../contract/local-models.ts';
import { moving } from '../cpu/worker-pool.ts';
import { averaged, runsOf, type Window, windowsOf } from './local-windows.ts';

export interface LocalRequest {
  /** Folder of the model's files. */
  folder: string;
  pooling: 'mean' | 'first';
  window: number;
  texts: readonly string[];
  /** Max. windows of one text. */
  maxWindows: number;
  /** Holds 1 once nobody waits for the answer: then the work ends early, but not the loading of the model. */
  stopped: Int32Array;
  /** Only count the tokens. */
  countOnly?: boolean;
}

/** An error would lose its class on the way to another thread. */
export type LocalAnswer =
  | { vectors: Float32Array }
  | { tokens: number[] }
  | { problem: 'packages' | 'files' | 'too-long' | 'stopped'; message: string };

interface Loaded {
  tokenizer: Tokenizer;
  marks: [number, number];
  run(windows: readonly Window[]): Promise<Tensor>;
}

interface NotLoaded {
  problem: 'packages' | 'files';
  message: string;
}

const loaded = new Map<string, Promise<Loaded | NotLoaded>>();

const STOPPED: LocalAnswer = { problem: 'stopped', message: 'nobody waits for it' };

/** Runs in a thread, which keeps the models that it has loaded. */
export default async function embedInThread(request: LocalRequest): Promise<LocalAnswer> {
  const { folder, texts, window, maxWindows, countOnly } = request;
  const loading = loaded.get(folder) ?? load(folder);
  loaded.set(folder, loading);
  const model = await loading;
  if ('problem' in model) {
    loaded.delete(folder);
    return model;
  }
  if (Atomics.load(request.stopped, 0) === 1) return STOPPED;
  const tokens = texts.map((text) => model.tokenizer.encode(text, { add_special_tokens: false }).ids);
  if (countOnly) return { tokens: tokens.map((ids) => ids.length) };
  const windows = tokens.map((ids, at) => windowsOf(at, ids, window, model.marks));
  const longest = Math.max(...windows.map((each) => each.length));
  if (longest > maxWindows) {
    return {
      problem: 'too-long',
      message: `a text has ${longest} windows of ${window} tokens, more than ${maxWindows}`,
    };
  }
  const found: { window: Window; vector: Float32Array }[] = [];
  for (const run of runsOf(windows.flat())) {
    if (Atomics.load(request.stopped, 0) === 1) return STOPPED;
    const output = await model.run(run);
    found.push(
      ...run.map((each, at) => ({ window: each, vector: pooled(output, at, each.ids.length, request.pooling) })),
    );
    output.dispose();
  }
  const dimensions = found[0]?.vector.length ?? 0;
  const vectors = averaged(texts.length, found, dimensions);
  return moving({ vectors }, [vectors.buffer as ArrayBuffer]);
}

/** Returns the vector of one row of an output [rows, tokens, dimensions], of which `tokens` are no padding. */
function pooled(output: Tensor, row: number, tokens: number, pooling: LocalRequest['pooling']): Float32Array {
  const [, width = 0, dimensions = 0] = output.dims;
  const data = output.data as Float32Array;
  const start = row * width * dimensions;
  if (pooling === 'first') return data.slice(start, start + dimensions);
  const sum = new Float32Array(dimensions);
  for (let token = 0; token < tokens; token++) {
    const from = start + token * dimensions;
    for (let at = 0; at < dimensions; at++) sum[at] = (sum[at] as number) + (data[from + at] as number);
  }
  return sum;
}

async function load(folder: string): Promise<Loaded | NotLoaded> {
  let packages: [typeof import('onnxruntime-web'), typeof import('@huggingface/tokenizers')];
  try {
    packages = await Promise.all([import('onnxruntime-web'), import('@huggingface/tokenizers')]);
  } catch (error) {
    return { problem: 'packages', message: messageOf(error) };
  }
  const [onnx, tokenizers] = packages;
  try {
    const [weights, text] = await Promise.all([
      readFile(path.join(folder, LOCAL_FILES.onnx)),
      readFile(path.join(folder, LOCAL_FILES.tokenizer), 'utf8'),
    ]);
    const tokenizer = new tokenizers.Tokenizer(JSON.parse(text), {});
    const [start, end] = tokenizer.encode('').ids;
    if (start === undefined || end === undefined) throw new Error(`${LOCAL_FILES.tokenizer} does not mark texts`);
    // The thread is one of several: it starts none itself.
    onnx.env.wasm.numThreads = 1;
    const session = await onnx.InferenceSession.create(weights, { executionProviders: ['wasm'] });
    return { tokenizer, marks: [start, end], run: (windows) => runModel(onnx, session, windows) };
  } catch (error) {
    return { problem: 'files', message: messageOf(error) };
  }
}

async function runModel(
  { Tensor }: typeof import('onnxruntime-web'),
  session: InferenceSession,
  windows: readonly Window[],
): Promise<Tensor> {
  const width = Math.max(...windows.map(({ ids }) => ids.length));
  const [ids, mask, types] = [0, 0, 0].map(() => new BigInt64Array(windows.length * width)) as [
    BigInt64Array,
    BigInt64Array,
    BigInt64Array,
  ];
  for (const [row, window] of windows.entries()) {
    ids.set(window.ids.map(BigInt), row * width);
    mask.fill(1n, row * width, row * width + window.ids.length);
  }
  const dims = [windows.length, width];
  const outputs = await session.run({
    input_ids: new Tensor('int64', ids, dims),
    attention_mask: new Tensor('int64', mask, dims),
    token_type_ids: new Tensor('int64', types, dims),
  });
  const [name = ''] = session.outputNames;
  const output = outputs[name];
  if (!output) throw new Error(`the model has no output "${name}"`);
  return output;
}
