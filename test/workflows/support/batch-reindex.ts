import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { Budget } from '../../../src/contract/budget.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { textKeysOf } from '../../../src/pipeline/text-key.ts';
import type { Db } from '../../../src/store/database.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { readStoredVectors } from '../../../src/store/stored-vectors.ts';
import { type BatchServer, type BatchServerOptions, startBatchServer } from '../../support/batch-server.ts';
import { givenIndex, type Rig } from '../../support/rig.ts';

export const COUNT = 25;
export const NAME = 'priced';
const DIMENSIONS = 8;
const ids = Array.from({ length: COUNT }, (_, at) => `k${String(at).padStart(2, '0')}`);
/** The texts of the objects, unless a test has others. */
export const usual = ids.map((_, at) => `text ${at}`);

/** Differs for each text. */
function vectorOf(text: string): number[] {
  let hash = 7;
  for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return Array.from({ length: DIMENSIONS }, (_, at) => 1 + ((hash + at * 7_919) % 1_009) / 1_009);
}

export interface BatchReindexOptions extends Partial<BatchServerOptions> {
  budget?: Budget;
  payload?: (at: number) => string;
  maxFailed?: number;
  indexBuild?: 'split';
}

export interface BatchReindex {
  server: BatchServer;
  source: string;
  dest: string;
  alias: string;
  /** Starts the reindex, whose task has this id. */
  start(): Promise<WorkflowHandle>;
}

/** An index with some objects behind an alias, and a server for batches, to which its reindex sends them. */
export async function givenBatchReindex(
  db: Db,
  rig: Pick<Rig, 'run' | 'start'>,
  { budget, maxFailed, indexBuild, payload = (at) => usual[at] as string, ...options }: BatchReindexOptions = {},
): Promise<BatchReindex> {
  const server = await startBatchServer({ vectorOf, ...options });
  const name = randomUUID().slice(0, 8);
  const [source, dest, alias] = [`source-${name}`, `dest-${name}`, `alias-${name}`];
  await givenIndex(db, source, { alias });
  await rig.run('upsert', { index: alias, items: ids.map((id, at) => ({ id, payload: payload(at) })) });
  const start = () =>
    rig.start('reindex', {
      ...{ source: alias, dest, batchApi: true, batchSize: 5, budget, maxFailed, indexBuild },
      destModel: {
        ...{ provider: 'openai', name: NAME, dimensions: DIMENSIONS, baseUrl: server.url, sendDimensions: false },
        ...{ batchSize: 128, batchChars: 200_000, timeoutMs: 60_000 },
      },
    });
  return { server, source, dest, alias, start };
}

/** The texts that were sent in batches, in any order. */
export const textsSent = ({ jobs }: BatchServer) => jobs.flatMap(({ requests }) => requests.map(({ text }) => text));

export const batchesOf = ({ data }: Tracker) => data.batches as Record<string, number>;

/** The texts whose vector in the destination is not the server's. */
export async function wrongIn(db: Db, dest: string, texts: readonly string[], of: string[] = ids): Promise<string[]> {
  const index = await findIndex(db, dest);
  if (!index) throw new Error('there is no destination');
  const keyOf = textKeysOf(index.model);
  const found = await readStoredVectors(db, index, { ids: of, keys: texts.map(keyOf) });
  return texts.filter((text) => {
    const stored = [...(found.get(keyOf(text)) ?? [])];
    return vectorOf(text).some((value, at) => Math.abs(value - (stored[at] ?? 0)) > 1e-5);
  });
}
