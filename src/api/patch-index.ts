import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import {
  indexPatchSchema,
  type ModelPatch,
  patchedIndexSchema,
  type VectorIndexTaskBody,
  vectorIndexTaskSchema,
} from '../contract/index-patch.ts';
import { nameSchema } from '../contract/indexes.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import { wholeModelSchema } from '../contract/model-input.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Tracker } from '../contract/tasks.ts';
import { findChangeable, findOwn, hasVectorIndex } from '../store/change-vector-index.ts';
import { indexInfo } from '../store/index-info.ts';
import { patchIndex as storePatch } from '../store/patch-index.ts';
import { jsonBody } from './body/json.ts';
import { checkModel } from './check-model.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';
import { isCalledOtherwise, requireSameModel, type SameModelDependencies } from './same-model.ts';

const content = { 'application/json': { schema: patchedIndexSchema } };

const patchIndex = createRoute({
  method: 'patch',
  path: '/{index}',
  middleware: jsonBody(),
  operationId: 'patchIndex',
  tags: ['indexes'],
  summary: 'Change settings of an index that leave its vectors as they are',
  description:
    'Fields that are not given stay. What decides about stored objects or vectors is refused by its name: a reindex ' +
    'changes it. Every process uses the new settings from its next request or batch on. Another vector index is built ' +
    'by a task, while the old one serves: the answer is then 202 with its id. A model that is called at another ' +
    'address is first asked for vectors that the index has.',
  request: {
    params: z.object({ index: nameSchema.describe('Name of the index, not of an alias.') }),
    body: { required: true, content: { 'application/json': { schema: indexPatchSchema } } },
  },
  responses: {
    200: { description: 'The index, with the whole change.', content },
    202: { description: 'The index; a task builds its vector index.', content },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'IndexDeleting',
      'IndexLocked',
      'NotCurrent',
      'TaskLocked',
      'TemporalUnavailable',
      'DatabaseUnavailable',
    ),
  },
});

export interface PatchDependencies extends SameModelDependencies {
  /** Starts a task that changes the vector index. */
  start: (body: VectorIndexTaskBody) => Promise<Tracker>;
}

export function createPatchIndexRouter(deps: PatchDependencies) {
  const { db, models, start } = deps;
  return createRouter().openapi(patchIndex, async (c) => {
    const { index: name } = c.req.valid('param');
    const { model: patch, readyVectors, vectorIndex, force, taskId } = c.req.valid('json');
    // Everything is checked before anything changes.
    const index = await findOwn(db, name);
    if (vectorIndex !== undefined) await findChangeable(db, name, vectorIndex);
    if (patch) {
      const model = patchedModel(index.model, patch);
      checkModel(models, model, 'model');
      if (!force && isCalledOtherwise(index.model, model)) await requireSameModel(deps, index, model);
    }
    const isTask = vectorIndex !== undefined && !hasVectorIndex(index, vectorIndex);
    // Before the rest: a task that cannot be started is an error, which changes nothing.
    const task = isTask ? await start(vectorIndexTaskSchema.parse({ index: name, vectorIndex, taskId })) : null;
    if (patch || readyVectors !== undefined) {
      await storePatch(db, index.no, (now) => ({
        model: patch ? patchedModel(now.model, patch) : now.model,
        readyVectors: readyVectors ?? now.readyVectors ?? false,
      }));
    }
    const info = await indexInfo(db, await findOwn(db, name));
    return c.json({ ...info, taskId: task?.id ?? null }, task ? 202 : 200);
  });
}

/** Returns a model with the changed fields; null removes one. Error: `InvalidInput` for fields that it does not have. */
function patchedModel(model: ModelConfig, patch: ModelPatch): ModelConfig {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const removed = given.filter(([, value]) => value === null).map(([field]) => field);
  const merged = Object.entries({ ...model, ...Object.fromEntries(given) });
  const parsed = wholeModelSchema.safeParse(Object.fromEntries(merged.filter(([field]) => !removed.includes(field))));
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error, ['model']);
  throw new ReembedError('InvalidInput', issuesText(issues), { issues, cause: parsed.error });
}
