import pLimit from 'p-limit';
import type { EmbedActivities } from '../contract/activities.ts';
import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { Pace } from '../cpu/pace.ts';
import { Summary } from '../evaluation/summary.ts';
import { EmbedSession } from '../pipeline/embed.ts';
import {
  beginEvaluation,
  type EvaluationQuery,
  evaluatedQueries,
  type FoundOnBoth,
  type FoundOnSide,
  nextQueries,
  openEvaluation,
  readReport,
  recordFound,
  saveReport,
} from '../store/evaluations.ts';
import type { IndexRow } from '../store/schema.ts';
import { searchBothWays } from '../store/search-both-ways.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { outcomeOf, reportOf, resultOf } from './evaluation-report.ts';
import { type Running, runWithHeartbeat } from './support/heartbeat.ts';
import { createPatience, pauseWithin } from './support/patience.ts';
import { type Waits, waitsOf, watched } from './support/waits.ts';
import { mustYield } from './support/yield-to-live-traffic.ts';

/** Queries that are embedded and stored together. */
const BATCH = 32;

type Evaluation = Pick<EmbedActivities, 'beginEvaluation' | 'evaluateQueries' | 'finishEvaluation'>;

/**
 * Creates the activities of an evaluation. What a query found is stored with it, so that an evaluation continues after a
 * crash with the queries that are left, and no process holds more than a batch.
 */
export function createEvaluateActivities(deps: ActivityDependencies): Evaluation {
  const { background: db } = deps;
  // Exact searches use a processor each: with several at once in a process, live work would wait for one.
  const inTurn = pLimit(1);
  return {
    beginEvaluation: (request) => runWithHeartbeat(() => beginEvaluation(db, request)),

    evaluateQueries: (taskId) =>
      runWithHeartbeat(async (running) => {
        const { request, left, right, total, done: before } = await openEvaluation(db, taskId);
        const waits = waitsOf(deps.client);
        const search = { limit: request.k, efSearch: request.efSearch };
        const sides = { left: createSide(deps, left, waits), right: createSide(deps, right, waits) };
        let done = before;
        while (done < total && !running.isTimeUp()) {
          const queries = await nextQueries(db, taskId, BATCH);
          if (queries.length === 0) break;
          const vectors = {
            left: await sides.left.embed(queries, running),
            right: await sides.right.embed(queries, running),
          };
          const found = new Map<number, FoundOnBoth>();
          for (const { seq, id } of queries) {
            running.signal.throwIfAborted();
            const parallel = !(await mustYield(deps));
            const onSide = async (side: 'left' | 'right', index: IndexRow): Promise<FoundOnSide> => {
              const vector = vectors[side].get(id);
              if (vector === undefined || typeof vector === 'string') return { notEmbedded: vector ?? 'rejected' };
              const work = () => searchBothWays(db, index, { ...search, vector, parallel });
              return (parallel ? work() : inTurn(work)).catch(asDeleted);
            };
            const [onLeft, onRight] = await Promise.all([onSide('left', left), onSide('right', right)]);
            found.set(seq, { left: onLeft, right: onRight });
          }
          await recordFound(db, taskId, found);
          done += queries.length;
          running.beat({ done });
        }
        return { done, total };
      }),

    finishEvaluation: (taskId) =>
      runWithHeartbeat(async ({ signal }) => {
        const ready = await readReport(db, taskId);
        if (ready) return outcomeOf(ready);
        const opened = await openEvaluation(db, taskId);
        const { k, thresholds, seed, breakdown } = opened.request;
        const pace = new Pace();
        const breathe = async () => {
          signal.throwIfAborted();
          await pace.breathe();
        };
        const summary = new Summary({ k, metric: thresholds.metric, confidence: thresholds.confidence, seed, breathe });
        for await (const query of evaluatedQueries(db, taskId)) {
          summary.add(resultOf(query, breakdown));
          await breathe();
        }
        const report = await reportOf(db, { taskId, opened, summary });
        await saveReport(db, taskId, report);
        return outcomeOf(report);
      }),
  };
}

/** An index that existed when the evaluation began, and whose tables are gone, was deleted meanwhile. */
function asDeleted(error: unknown): never {
  if (!(error instanceof ReembedError) || error.type !== 'IndexNotFound') throw error;
  throw new ReembedError('IndexDeleted', error.message, { cause: error });
}

type Vectors = Map<string, Vector | 'unknown-words' | 'rejected'>;

/** Embeds queries with the model of one index. */
function createSide(deps: ActivityDependencies, index: IndexRow, waits: Waits) {
  const { models, settings } = deps;
  const embedder = watched(models.embedder(index.model), waits);
  return {
    async embed(queries: readonly EvaluationQuery[], { signal }: Running<unknown>): Promise<Vectors> {
      const vectors: Vectors = new Map();
      const known = await knownOf(embedder, queries);
      for (const { id } of queries) if (!known.has(id)) vectors.set(id, 'unknown-words');
      const objects = queries.filter(({ id }) => known.has(id)).map(({ id, text }) => ({ id, parts: [{ text }] }));
      const patience = createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder });
      const session = new EmbedSession(objects, embedder, {
        purpose: 'query',
        concurrency: (await mustYield(deps)) ? 1 : undefined,
        metric: index.metric,
        signal,
        pause: pauseWithin(settings.modelPatienceMs),
      });
      for (;;) {
        const stoppedBy = await session.run();
        const results = session.take();
        for (const result of results) {
          // A text that the model takes only in pieces is refused by a search too.
          const isWhole = 'vectors' in result && result.vectors.length === 1 && result.vectors[0] !== undefined;
          vectors.set(result.id, isWhole ? (result.vectors[0] as Vector) : 'rejected');
        }
        if (stoppedBy === null) return vectors;
        await patience(stoppedBy, results.length > 0);
      }
    },
  };
}

async function knownOf(embedder: Embedder, queries: readonly EvaluationQuery[]): Promise<Set<string>> {
  const known = await embedder.knows?.(queries.map(({ text }) => text));
  return new Set(queries.filter((_, at) => known?.[at] !== false).map(({ id }) => id));
}
