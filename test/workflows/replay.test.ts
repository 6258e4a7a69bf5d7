import '../support/quiet.ts';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleWithoutTraces, workflowBundle as prepared } from '../support/bundle.ts';
import { replay } from '../support/replay.ts';
import { type History, historyFromJSON } from '../support/sdk-internals.ts';

const root = fileURLToPath(new URL('../histories/', import.meta.url));
const recordings = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));

/** The first recording of each workflow. */
const oneOfEach = [...new Map(recordings.map((file) => [startedType(read(file)), file])).values()];

describe('the current workflows continue tasks that were started by earlier versions', () => {
  let workflowBundle: WorkflowBundle;
  let untraced: WorkflowBundle;
  /** The errors of the replays, by file; undefined is one without an error. */
  let traced: Map<string, Error | undefined>;
  let withoutTraces: Map<string, Error | undefined>;
  beforeAll(async () => {
    [workflowBundle, untraced] = await Promise.all([prepared(), bundleWithoutTraces()]);
    traced = await replayAll(workflowBundle, recordings);
    withoutTraces = await replayAll(untraced, oneOfEach);
  });

  test('every workflow has a recording', () => {
    const types = recordings.map((file) => startedType(read(file)));
    expect(new Set(types)).toEqual(
      new Set([
        'auditIndex',
        'upsert',
        'delete',
        'reindex',
        'reindexSlice',
        'buildIndex',
        'deleteIndex',
        'maintain',
        'steerTasks',
        'job',
        'jobLane',
        'followSource',
        'syncSource',
        'auditIndex',
      ]),
    );
  });

  test.each(recordings)('%s', (file) => {
    expect(traced.has(file)).toBe(true);
    expect(traced.get(file)).toBeUndefined();
  });

  test.each(oneOfEach)('%s, also without the interceptors for traces', (file) => {
    expect(withoutTraces.has(file)).toBe(true);
    expect(withoutTraces.get(file)).toBeUndefined();
  });

  // One that ends while a timer or another activity runs may be replayed in a different order.
  test('a reindex runs no local activity while it renews its lock', () => {
    const ofReindex = recordings.filter((file) => startedType(read(file)) === 'reindex');
    expect(new Set(ofReindex.flatMap(localActivities))).toEqual(new Set(['admit', 'requestCancel']));
  });

  test('a history of other steps is detected', async () => {
    const file = recordings.find((name) => name.endsWith('upsert-large.json'));
    if (!file) throw new Error('the recording is missing');
    const other = readFileSync(path.join(root, file), 'utf8').replaceAll('"writeChunk"', '"somethingElse"');
    const history = historyFromJSON(JSON.parse(other));
    const [replayed] = await replay(workflowBundle, [{ workflowId: 'other', history }]);
    expect(replayed?.error?.message).toMatch(/[Nn]ondeterminism/);
  });
});

/** The types of the local activities of a recording. */
function localActivities(file: string): string[] {
  const { events } = historyFromJSON(read(file)) as History;
  return (events ?? [])
    .map(({ markerRecordedEventAttributes: marker }) => marker)
    .filter((marker) => marker?.markerName === 'core_local_activity')
    .map(
      (marker) => JSON.parse(Buffer.from(marker?.details?.data?.payloads?.[0]?.data ?? []).toString()).activity_type,
    );
}

/** Replays recordings, each with the workflow id that its file is named after, which is unique in a folder. */
async function replayAll(bundle: WorkflowBundle, files: string[]): Promise<Map<string, Error | undefined>> {
  const errors = new Map<string, Error | undefined>();
  for (const folder of new Set(files.map((file) => path.dirname(file)))) {
    const histories = files
      .filter((file) => path.dirname(file) === folder)
      .map((file) => ({ workflowId: path.basename(file, '.json'), history: historyFromJSON(read(file)) }));
    for (const { workflowId, error } of await replay(bundle, histories)) {
      errors.set(path.join(folder, `${workflowId}.json`), error);
    }
  }
  return errors;
}

function read(file: string) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'));
}

function startedType(history: {
  events: { workflowExecutionStartedEventAttributes?: { workflowType: { name: string } } }[];
}) {
  return history.events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name;
}
