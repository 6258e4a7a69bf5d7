import { Client, Connection } from '@temporalio/client';
import { expect } from 'vitest';
import { type ApiDependencies, createApi } from '../../src/api/app.ts';
import { openApiDocument } from '../../src/api/document.ts';
import type { ApiLog } from '../../src/api/problems.ts';
import { languageOf } from '../../src/contract/full-text.ts';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import type { Item } from '../../src/contract/objects.ts';
import { createModels } from '../../src/models/models.ts';
import { type Db, openDatabase, transaction } from '../../src/store/database.ts';
import { ensureIndex, resolveIndex } from '../../src/store/indexes.ts';
import { writeLive } from '../../src/store/protocol/live-write.ts';
import type { ObjectWrite } from '../../src/store/protocol/object-write.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { Contract, type Seen } from './contract/contract.ts';

export const models = createModels({ env: {} });

/** A Temporal client without a server, and without the interceptors that retry each call for seconds. */
export function silentTemporal(): Client {
  return new Client({ connection: Connection.lazy({ address: '127.0.0.1:1', interceptors: [] }) });
}

/** A database that does not exist. */
export function silentDatabase(): Db {
  return openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' });
}

/** A log whose lines can be read. */
export function listeningLog(): ApiLog & { lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: unknown, message?: string) => lines.push({ ...(line as object), message });
  return { lines, info: write, warn: write, error: write } as unknown as ApiLog & { lines: typeof lines };
}

export function testApi(db: Db, change: Partial<ApiDependencies> = {}) {
  return createApi({
    db,
    client: silentTemporal(),
    models,
    taskQueue: 'test',
    log: listeningLog(),
    patienceMs: 0,
    ...change,
  });
}

type App = ReturnType<typeof testApi>;

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

let contract: Contract | undefined;

/** Fails for an answer that the OpenAPI document does not describe. Defects (500) are never documented. */
export function expectDocumented(seen: Seen): void {
  if (seen.status === 500) return;
  contract ??= new Contract(openApiDocument(testApi(silentDatabase())));
  expect(contract.check(seen)).toEqual([]);
}

/** Sends a JSON body, or a text unchanged, and reads a JSON answer. */
export async function call(app: App, method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  const isText = typeof body === 'string';
  const response = await app.request(path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  // Parts of the app that a test assembles itself are not documented.
  if (app.routes.some((route) => route.path === '/openapi.json')) {
    expectDocumented({ method, path, status: response.status, headers: response.headers, body: text });
  }
  const isJson = /[/+]json$/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export async function makeIndex(db: Db, name: string, config: unknown = { model: { provider: 'hash' } }) {
  const { index } = await transaction(db, (trx) => ensureIndex(trx, name, indexConfigSchema.parse(config)));
  return index;
}

/** Writes objects as the pipeline would, with text payloads of one part each. */
export async function putObjects(db: Db, index: IndexRow, items: Pick<Item, 'id' | 'payload' | 'metadata'>[]) {
  const version = await nextVersion(db);
  const texts = items.map(({ payload }) => String(payload));
  const vectors = await models.embedder(index.model).embed(texts, { purpose: 'document' });
  const objects = items.map(
    ({ id, payload = '', metadata = {} }, at): ObjectWrite => ({
      id,
      version,
      kind: 'content',
      payload,
      metadata,
      originalId: null,
      uri: null,
      hash: String(at),
      parts: [
        {
          part: 0,
          start: 0,
          end: texts[at]?.length ?? 0,
          isAverage: false,
          embedding: vectors[at] as number[],
          ...(index.fullText && {
            words: { language: languageOf(index.fullText, metadata), text: texts[at] as string },
          }),
        },
      ],
    }),
  );
  return writeLive(db, { target: index.name, indexNo: index.no, objects, onReindex: 'forward' });
}

export async function removeObject(db: Db, name: string, id: string) {
  const index = await resolveIndex(db, name);
  const objects: ObjectWrite[] = [{ id, version: await nextVersion(db), kind: 'tombstone' }];
  return writeLive(db, { target: name, indexNo: index.no, objects, onReindex: 'forward' });
}
