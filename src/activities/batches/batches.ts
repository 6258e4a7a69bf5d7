import type {
  BatchActivities,
  CollectedBatch,
  SubmitBatchRequest,
  SubmittedBatch,
} from '../../contract/batch-activities.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { BatchInterface } from '../../models/batches/interface.ts';
import { requireBatches } from '../../models/prices.ts';
import { dropBatchRange, dropBatchTexts, noteSent } from '../../store/batch-texts.ts';
import { findIndexByNo } from '../../store/indexes.ts';
import type { IndexRow } from '../../store/schema.ts';
import { requireIndex } from '../copy-objects.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { runWithHeartbeat } from '../support/heartbeat.ts';
import { recordBatchCall, roomInBudget, summarizeUsage } from '../support/meter.ts';
import { collectAnswers } from './collect.ts';
import { scanRange } from './scan.ts';

/** Activities that call a model through its provider's interface for batches. */
export function createBatchActivities(deps: ActivityDependencies): BatchActivities {
  const { background: db } = deps;
  const of = async (destNo: number) => {
    const dest = await requireIndex(db, destNo);
    return { dest, batches: requireInterface(deps, dest) };
  };
  return {
    submitBatch: (request) =>
      runWithHeartbeat(async ({ signal }) => submit(deps, request, { ...(await of(request.destNo)), signal })),
    lookAtBatches: ({ destNo, ids }) =>
      runWithHeartbeat(async ({ signal }) => {
        const { batches } = await of(destNo);
        return Promise.all(ids.map((id) => batches.look(id, signal)));
      }),
    collectBatch: (request) =>
      runWithHeartbeat(async ({ signal }): Promise<CollectedBatch> => {
        const { dest, batches } = await of(request.destNo);
        const collected = await collectAnswers(deps, request, { dest, batches, signal });
        return { ...collected, usage: await summarizeUsage(deps, request.taskId, dest.model) };
      }),
    forgetBatch: ({ taskId, destNo, rangeNo, batchId, isOver }) =>
      runWithHeartbeat(async ({ signal }) => {
        if (isOver) await dropBatchRange(db, { taskId, rangeNo });
        const { batches } = await of(destNo);
        // The provider deletes them by itself some time later.
        await batches.forget(batchId, signal).catch(() => {});
      }),
    endBatches: ({ taskId, destNo, ids, sending, sinceMs }) =>
      runWithHeartbeat(async ({ signal }) => {
        await dropBatchTexts(db, taskId);
        const dest = await findIndexByNo(db, destNo);
        if (!dest || (ids.length === 0 && sending === null)) return;
        const batches = requireInterface(deps, dest);
        const found = sending === null ? null : await batches.find(sending, sinceMs, signal);
        await Promise.all([...ids, ...(found ? [found.id] : [])].map((id) => batches.cancel(id, signal)));
      }),
  };
}

/** Sends a file, unless the file of an earlier try has arrived: what was noted as sent has then been paid for. */
async function submit(
  deps: ActivityDependencies,
  request: SubmitBatchRequest,
  { dest, batches, signal }: { dest: IndexRow; batches: BatchInterface; signal: AbortSignal },
): Promise<SubmittedBatch> {
  const { taskId, rangeNo, name, sinceMs, openTokens } = request;
  const { background: db, settings } = deps;
  const room = await roomInBudget(deps, taskId, dest.model, openTokens);
  const maxTexts = Math.min(batches.maxRequests, settings.batchApiTexts ?? batches.maxRequests);
  const limits = {
    texts: Math.min(maxTexts, request.maxTexts ?? maxTexts),
    bytes: batches.maxBytes,
    tokens: room,
    batches,
  };
  const { requests, texts, until, tokens } = await scanRange(deps, request, { dest, limits, signal });
  if (texts.length === 0) return { batchId: null, until, texts: 0, tokens: 0 };
  await noteSent(db, { taskId, rangeNo }, texts);
  const found = await batches.find(name, sinceMs, signal);
  const { id } = found ?? (await batches.submit(name, requests, signal));
  if (!found) await recordBatchCall(deps, taskId, dest.model);
  return { batchId: id, until, texts: texts.length, tokens };
}

function requireInterface({ models }: ActivityDependencies, { model }: IndexRow): BatchInterface {
  requireBatches(model);
  const batches = models.batches?.(model);
  if (batches) return batches;
  throw new ReembedError('ModelNotFound', `this worker cannot call ${model.provider}/${model.name} in batches`);
}
