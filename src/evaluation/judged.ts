import type { Scores } from '../contract/evaluation.ts';

/** Measures of one ranking against judgments. `ranking` has the ids of the objects, best first, each once. */

/** The grades of the judged objects of one query, by id. A grade of 0 means judged, but not relevant. */
export type Grades = ReadonlyMap<string, number>;

/** Whether a query has at least one relevant object; the measures are undefined for others. */
export function isJudged(grades: Grades): boolean {
  for (const grade of grades.values()) if (grade > 0) return true;
  return false;
}

/**
 * Returns the normalized discounted cumulative gain of the first `k` places, from 0 to 1.
 *
 * Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002, in the form of
 * trec_eval (`ndcg_cut`): the gain is the grade, the discount of place i is log2(i + 1), and the ideal ranking has the
 * judged objects by grade. An object without a judgment has no gain. Returns 0 without a relevant object.
 */
export function ndcgAt(ranking: readonly string[], grades: Grades, k: number): number {
  const ideal = [...grades.values()].filter((grade) => grade > 0).sort((left, right) => right - left);
  const best = discountedGain(ideal, k);
  if (best === 0) return 0;
  return (
    discountedGain(
      ranking.slice(0, k).map((id) => Math.max(0, grades.get(id) ?? 0)),
      k,
    ) / best
  );
}

function discountedGain(gains: readonly number[], k: number): number {
  let sum = 0;
  for (let at = 0; at < Math.min(k, gains.length); at++) sum += (gains[at] as number) / Math.log2(at + 2);
  return sum;
}

/**
 * Returns the share of the relevant objects that are among the first `k`, from 0 to 1 (trec_eval's `recall`; Manning,
 * Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 8.3). Returns 0 without a relevant object.
 */
export function recallAt(ranking: readonly string[], grades: Grades, k: number): number {
  let relevant = 0;
  for (const grade of grades.values()) if (grade > 0) relevant++;
  if (relevant === 0) return 0;
  return ranking.slice(0, k).filter((id) => (grades.get(id) ?? 0) > 0).length / relevant;
}

/**
 * Returns 1 divided by the place of the first relevant object among the first `k`, or 0 if there is none (Voorhees,
 * "The TREC-8 question answering track report", 1999; trec_eval's `recip_rank` of a ranking of `k` objects). The mean
 * over all queries is the mean reciprocal rank (MRR).
 */
export function reciprocalRankAt(ranking: readonly string[], grades: Grades, k: number): number {
  const at = ranking.slice(0, k).findIndex((id) => (grades.get(id) ?? 0) > 0);
  return at === -1 ? 0 : 1 / (at + 1);
}

/** Returns all measures of a ranking. */
export function scoresAt(ranking: readonly string[], grades: Grades, k: number): Scores {
  return {
    ndcg: ndcgAt(ranking, grades, k),
    recall: recallAt(ranking, grades, k),
    mrr: reciprocalRankAt(ranking, grades, k),
  };
}
