import type { Command } from 'commander';
import type { IndexPatchInput } from '../../contract/index-patch.ts';
import { examples, json, wholeNumber } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask } from '../task-output.ts';
import { type VectorIndexOptions, vectorIndexFrom, withHnsw } from '../vector-index-options.ts';

interface PatchOptions extends RemoteOptions, VectorIndexOptions {
  baseUrl?: string;
  apiKeyEnv?: string;
  timeoutMs?: number;
  batchSize?: number;
  batchChars?: number;
  queryPrefix?: string;
  queryModel?: string;
  model?: unknown;
  readyVectors?: boolean;
  force?: boolean;
  taskId?: string;
  wait?: boolean;
}

/** Adds `reembed index patch`. */
export function addPatchCommand(group: Command, io: Io): void {
  const command = remote(group.command('patch <index>'))
    .summary('change settings of an index that leave its vectors as they are')
    .description(
      'Changes settings of INDEX; those that are not given stay. Options for the HNSW index describe the whole of it: ' +
        'a task builds it, and the old one serves until it is complete. What decides about vectors takes a reindex.',
    )
    .option('--base-url <url>', 'another address of the same model')
    .option('--api-key-env <variable>', 'environment variable of the workers and the API with the key')
    .option('--timeout-ms <ms>', 'timeout of one call of the model', wholeNumber)
    .option('--batch-size <texts>', 'maximum texts in one call', wholeNumber)
    .option('--batch-chars <count>', 'maximum characters of all texts in one call', wholeNumber)
    .option('--query-prefix <text>', 'added before each search text; empty: nothing')
    .option('--query-model <name>', 'model for search texts, of the same family; empty: the model itself')
    .option('--model <json>', 'fields of the model as JSON, instead of the options above; null removes one', json)
    .option('--ready-vectors', 'let objects have parts with vectors that the model has made elsewhere')
    .option('--no-ready-vectors', 'refuse such parts')
    .option('--force', 'do not ask the model at its new address for vectors that are stored');
  withHnsw(command, { usual: true, rest: '' })
    .option('--task-id <id>', 'id of the task that changes the HNSW index; default: a generated id')
    .option('--wait', 'wait until that task ends')
    .addHelpText(
      'after',
      examples(
        'reembed index patch docs --timeout-ms 120000 --api-key-env NEW_KEY',
        'reembed index patch docs --hnsw-m 24 --ef-construction 100 --wait',
        'reembed index patch docs --vector-index usual',
        `reembed index patch docs --model '{"queryPrefix":null}'`,
      ),
    )
    .action(async (index: string, options: PatchOptions) => {
      const client = clientFrom(io, options);
      const { readyVectors, force, taskId } = options;
      const vectorIndex = vectorIndexFrom(options);
      const model = modelOf(options);
      if (model === undefined && readyVectors === undefined && vectorIndex === undefined) {
        throw new UsageError('specify what to change, for instance --timeout-ms or --hnsw-m');
      }
      const patched = await client.indexes.patch(index, { model, readyVectors, vectorIndex, force, taskId });
      if (options.wait && patched.taskId !== null) return followTask(io, client, patched.taskId, options);
      writeResult(io, options.json, patched, () => resultText(patched.name, patched.taskId));
    });
}

function resultText(name: string, taskId: string | null): string {
  return taskId === null ? `index ${name} is changed` : `index ${name}: the task ${taskId} changes its vector index`;
}

function modelOf({ model, ...options }: PatchOptions): IndexPatchInput['model'] {
  const { baseUrl, apiKeyEnv, timeoutMs, batchSize, batchChars, queryPrefix, queryModel } = options;
  const orNull = (text: string | undefined) => (text === '' ? null : text);
  const single = {
    ...{ baseUrl, apiKeyEnv, timeoutMs, batchSize, batchChars },
    ...{ queryPrefix: orNull(queryPrefix), queryModel: orNull(queryModel) },
  };
  const isSingle = Object.values(single).some((value) => value !== undefined);
  if (model === undefined) return isSingle ? single : undefined;
  if (isSingle) throw new UsageError('specify fields of the model either with --model or with their own options');
  // The API names each field that is not valid.
  return model as IndexPatchInput['model'];
}
