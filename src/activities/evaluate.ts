import pLimit from 'p-limit';
import type { EmbedActivities } from '../contract/activities.ts';
import { Pace } from '../cpu/pace.ts';
import { Summary } from '../evaluation/summary.ts';
import {
  beginEvaluation,
  evaluatedQueries,
  type FoundOnBoth,
  type FoundOnSide,
  nextQueries,
  openEvaluation,
  readReport,
  recordFound,
  saveReport,
} from '../store/evaluations.ts';
import type { InPieces } from '../store/nearest-of-each.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { buildReport, outcomeOf, resultOf } from './evaluation-report.ts';
import { createSide, type Vectors } from './evaluation-side.ts';
import { createWaitMeter } from './support/chunk-waits.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { summarizeUsage } from './support/meter.ts';
import { createYielding, mustYield } from './support/yield-to-live-traffic.ts';

/** Queries that are embedded, searched and stored together. */
const BATCH = 64;
/** The embedded database has one connection, which live work waits for. */
const SMALL_BATCH = 8;

/** Well below the time that a transaction may be idle. */
const MAX_REST_MS = 1_000;

type Evaluation = Pick<EmbedActivities, 'beginEvaluation' | 'evaluateQueries' | 'finishEvaluation'>;

/**
 * Creates the activities of an evaluation. What a query found is stored with it, so that an evaluation continues after a
 * crash with the queries that are left, and no process holds more than a batch.
 */
export function createEvaluateActivities(deps: ActivityDependencies): Evaluation {
  const { background: db } = deps;
  const yielding = createYielding(deps, { maxRestMs: MAX_REST_MS });
  // A statement that waits for those of other evaluations would keep its transaction idle.
  const inTurn = pLimit(1);
  return {
    beginEvaluation: (request) => runWithHeartbeat(() => beginEvaluation(db, request)),

    evaluateQueries: (taskId) =>
      runWithHeartbeat(async (running) => {
        const { request, left, right, total, done: before } = await openEvaluation(db, taskId);
        const sides = [
          createSide(deps, { index: left, request, running, payer: null }),
          createSide(deps, { index: right, request, running, payer: request.isStep ? taskId : null }),
        ] as const;
        const meter = createWaitMeter(deps.client);
        // Statements, not batches: a batch keeps a processor busy for a second.
        const inPieces: InPieces = (statement) => {
          running.signal.throwIfAborted();
          return yielding(running.signal, statement, meter.onLive);
        };
        let done = before;
        while (done < total && !running.isTimeUp()) {
          const queries = await nextQueries(db, taskId, deps.background === deps.db ? SMALL_BATCH : BATCH);
          if (queries.length === 0) break;
          const embedded: Vectors[] = [];
          for (const side of sides) embedded.push(await side.embed(queries));
          const parallel = !(await mustYield(deps));
          const search = (at: 0 | 1) => sides[at].search(queries, embedded[at] as Vectors, { parallel, inPieces });
          const [onLeft, onRight] = parallel
            ? await Promise.all([search(0), search(1)])
            : await inTurn(async () => [await search(0), await search(1)] as const);
          const found = queries.map(({ seq }, at): [number, FoundOnBoth] => [
            seq,
            { left: onLeft?.[at] as FoundOnSide, right: onRight?.[at] as FoundOnSide },
          ]);
          await recordFound(db, taskId, new Map(found));
          done += queries.length;
          running.beat({ done });
        }
        const usage = request.isStep ? await summarizeUsage(deps, taskId, right.model) : undefined;
        return { done, total, waits: meter.read(), usage };
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
        const report = await buildReport(db, { taskId, opened, summary });
        await saveReport(db, taskId, report);
        return outcomeOf(report);
      }),
  };
}
