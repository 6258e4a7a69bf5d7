import '../support/quiet.ts';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { taskEventSinks } from '../../src/metrics/tasks.ts';
import { bundleWithoutTraces, workflowBundle as prepared } from '../support/bundle.ts';

// Told of nothing: a replay counts no task again.
const sinks = taskEventSinks();
const root = fileURLToPath(new URL('../histories/', import.meta.url));
const recordings = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));

/** The first recording of each workflow. */
const oneOfEach = [...new Map(recordings.map((file) => [startedType(read(file)), file])).values()];

describe('the workflows of today continue tasks that were started by earlier ones', () => {
  let workflowBundle: WorkflowBundle;
  let untraced: WorkflowBundle;
  beforeAll(async () => {
    [workflowBundle, untraced] = await Promise.all([prepared(), bundleWithoutTraces()]);
  });

  test('there is a recording of every workflow', () => {
    const types = recordings.map((file) => startedType(read(file)));
    expect(new Set(types)).toEqual(
      new Set([
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
      ]),
    );
  });

  test.each(recordings)('%s', async (file) => {
    const workflowId = path.basename(file, '.json');
    await Worker.runReplayHistory({ workflowBundle, sinks }, historyFromJSON(read(file)), workflowId);
  });

  test.each(oneOfEach)('%s, also without what hands on traces', async (file) => {
    const workflowId = path.basename(file, '.json');
    await Worker.runReplayHistory({ workflowBundle: untraced, sinks }, historyFromJSON(read(file)), workflowId);
  });

  test('and a history of other steps is found out', async () => {
    const file = recordings.find((name) => name.endsWith('upsert-large.json'));
    if (!file) throw new Error('the recording is missing');
    const other = readFileSync(path.join(root, file), 'utf8').replaceAll('"writeChunk"', '"somethingElse"');
    await expect(
      Worker.runReplayHistory({ workflowBundle, sinks }, historyFromJSON(JSON.parse(other)), 'other'),
    ).rejects.toThrow(/[Nn]ondeterminism/);
  });
});

function read(file: string) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'));
}

function startedType(history: {
  events: { workflowExecutionStartedEventAttributes?: { workflowType: { name: string } } }[];
}) {
  return history.events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name;
}
