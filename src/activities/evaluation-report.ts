import type { EvaluationOutcome } from '../contract/activities.ts';
import type {
  ChangedQuery,
  Compared,
  Evaluation,
  EvaluationMetric,
  EvaluationSide,
  Scores,
} from '../contract/evaluation.ts';
import { isJudged, scoresAt } from '../evaluation/judged.ts';
import type { QueryResult, SideResult, Summary } from '../evaluation/summary.ts';
import { decide } from '../evaluation/verdict.ts';
import type { Db } from '../store/database.ts';
import {
  countSearchable,
  type EvaluatedQuery,
  type FoundOnSide,
  type OpenEvaluation,
  readBeginnings,
  readEvaluated,
} from '../store/evaluations.ts';
import { missingOfEvaluation } from '../store/query-sets.ts';
import type { IndexRow } from '../store/schema.ts';

/** Queries shown side by side, the objects of each side, and the characters of each. */
const CHANGED = { queries: 20, results: 10, chars: 300 };

/** Converts a stored query to what the summary adds. */
export function resultOf(query: EvaluatedQuery, breakdown: string | undefined): QueryResult {
  const { seq, relevant, metadata, found } = query;
  const value = breakdown !== undefined && Object.hasOwn(metadata, breakdown) ? metadata[breakdown] : undefined;
  return {
    seq,
    grades: new Map(relevant.map(({ id, grade }) => [id, grade])),
    group: value === undefined ? null : JSON.stringify(value).slice(0, 200),
    left: sideOf(found.left),
    right: sideOf(found.right),
  };
}

function sideOf(found: FoundOnSide): SideResult {
  if ('notEmbedded' in found) {
    return { ids: [], isUnknown: found.notEmbedded === 'unknown-words', exactMs: null, hnsw: [] };
  }
  return { ids: found.ids, isUnknown: false, exactMs: found.exactMs, hnsw: found.hnsw };
}

/** Builds the report from the measures of all queries. */
export async function buildReport(
  db: Db,
  { taskId, opened, summary }: { taskId: string; opened: OpenEvaluation; summary: Summary },
): Promise<Evaluation> {
  const { request, left, right } = opened;
  const { thresholds, k, querySet, breakdown } = request;
  const [ndcg, recall, mrr] = [
    await summary.difference('ndcg'),
    await summary.difference('recall'),
    await summary.difference('mrr'),
  ];
  const differences = ndcg && recall && mrr ? { ndcg, recall, mrr } : null;
  const sides = {
    left: await reportedSide(db, { taskId, index: left, side: 'left', summary }),
    right: await reportedSide(db, { taskId, index: right, side: 'right', summary }),
  };
  const { agreement } = summary;
  const decided = decide(
    {
      judged: summary.judged,
      difference: differences && evidenceOf(differences[thresholds.metric]),
      right: sides.right.scores,
      overlap: agreement.overlap,
      rbo: agreement.rbo,
      emptyShare: summary.emptyShare,
      hnswRecall: sides.right.hnsw.find(({ isDefault }) => isDefault)?.recall ?? null,
      latencyRatio: latencyRatio(sides.left, sides.right),
    },
    thresholds,
  );
  return {
    taskId,
    querySet,
    k,
    ...decided,
    thresholds: Object.fromEntries(Object.entries(thresholds).filter(([, value]) => value !== undefined)) as never,
    queries: summary.queries,
    judged: summary.judged,
    ...sides,
    differences,
    agreement,
    breakdown: breakdown === undefined ? null : { field: breakdown, ...(await summary.breakdown()) },
    changed: await changedQueries(db, { taskId, opened, summary }),
    createTime: new Date().toISOString(),
  };
}

const evidenceOf = ({ mean, low, high }: Compared) => ({ mean, interval: { low, high } });

/** Compares what searches use: the HNSW index, or exact search without one. */
function latencyRatio(left: EvaluationSide, right: EvaluationSide): number | null {
  const p95 = ({ hnsw, exact }: EvaluationSide) => (hnsw.find(({ isDefault }) => isDefault) ?? exact).p95Ms;
  const [before, after] = [p95(left), p95(right)];
  return before === null || after === null || before === 0 ? null : after / before;
}

async function reportedSide(
  db: Db,
  of: { taskId: string; index: IndexRow; side: 'left' | 'right'; summary: Summary },
): Promise<EvaluationSide> {
  const { index, side, summary, taskId } = of;
  const { provider, name, dimensions } = index.model;
  return {
    index: index.name,
    model: `${provider}/${name} (${dimensions})`,
    objects: await countSearchable(db, index),
    scores: summary.scores(side),
    ...summary.side(side),
    missing: await missingOfEvaluation(db, index, taskId),
  };
}

async function changedQueries(
  db: Db,
  of: { taskId: string; opened: OpenEvaluation; summary: Summary },
): Promise<ChangedQuery[]> {
  const { request, left, right } = of.opened;
  const changed = of.summary.changed(CHANGED.queries);
  const rows = await readEvaluated(
    db,
    of.taskId,
    changed.map(({ seq }) => seq),
  );
  const idsOf = (side: 'left' | 'right') => rows.flatMap(({ found }) => shown(found[side]));
  const texts = {
    left: await readBeginnings(db, left, idsOf('left'), CHANGED.chars),
    right: await readBeginnings(db, right, idsOf('right'), CHANGED.chars),
  };
  return changed.flatMap(({ seq, change }) => {
    const row = rows.find((one) => one.seq === seq);
    if (!row) return [];
    const grades = new Map(row.relevant.map(({ id, grade }) => [id, grade]));
    const sideOfQuery = (side: 'left' | 'right') => ({
      scores: scoresOf('ids' in row.found[side] ? row.found[side].ids : [], grades, request.k),
      results: shown(row.found[side]).map((id) => ({
        id,
        grade: grades.get(id) ?? null,
        text: texts[side].get(id) ?? '',
      })),
    });
    const { id, text, metadata } = row;
    const short = text.slice(0, 1_000).toWellFormed();
    return [{ id, text: short, metadata, change, left: sideOfQuery('left'), right: sideOfQuery('right') }];
  });
}

function shown(found: FoundOnSide): string[] {
  return 'ids' in found ? found.ids.slice(0, CHANGED.results) : [];
}

function scoresOf(ids: readonly string[], grades: Map<string, number>, k: number): Scores | null {
  return isJudged(grades) ? scoresAt(ids, grades, k) : null;
}

/** Returns the numbers of a report that a workflow carries. */
export function outcomeOf(report: Evaluation): EvaluationOutcome {
  const { verdict, queries, judged, left, right, differences, agreement, reasons } = report;
  const metric = report.thresholds.metric as EvaluationMetric;
  const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(value * 1e4) / 1e4);
  return {
    verdict,
    queries,
    judged,
    metric,
    left: rounded(left.scores?.[metric]),
    right: rounded(right.scores?.[metric]),
    difference: rounded(differences?.[metric].mean),
    overlap: rounded(agreement.overlap) ?? 0,
    why: (reasons.find((reason) => reason.verdict === verdict) ?? reasons[0])?.text ?? '',
  };
}
