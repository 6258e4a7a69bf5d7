import type { AuditKind } from '../../contract/audit.ts';
import type { IndexConfig } from '../../contract/indexes.ts';
import type { Pace } from '../../cpu/pace.ts';
import { isHashOf } from '../../pipeline/content-hash.ts';
import { originOf } from '../../pipeline/ready.ts';
import { textOf } from '../../pipeline/text-of.ts';
import type { AuditFacts } from '../../store/protocol/audit.ts';

/** Finds the first thing that is wrong with an object, or null. Facts are of one instant, so a write shows no half. */
export async function findProblem(
  facts: AuditFacts,
  { splitter, average }: Pick<IndexConfig, 'splitter' | 'average'>,
  pace: Pace,
): Promise<AuditKind | null> {
  const { rows, deleted, failed, hash, payload, numbers, averages } = facts;
  const hasParts = numbers.length + averages.length > 0;
  if (rows > 1 || hasRepeated(numbers) || hasRepeated(averages)) return 'duplicate';
  if (rows === 0 || deleted || failed) {
    if (hasParts) return 'orphaned-parts';
    return failed && !deleted ? 'not-embedded' : null;
  }
  if (hash !== null && payload !== null && !(await isHashOf(hash, payload, pace))) return 'changed';
  if (numbers.length === 0) return 'without-parts';
  // Parts that came with an object need not cover its text.
  const isSplit = payload !== null && originOf(hash) !== 'own';
  if (hasGaps(facts, average) || (isSplit && !isCovered(textOf(payload, splitter.fields), facts))) return 'part-gaps';
  if (facts.otherLength > 0) return 'vector-length';
  if (facts.notFinite > 0) return 'vector-not-finite';
  return facts.withoutDirection > 0 ? 'vector-zero' : null;
}

/** Numbers are in order. */
function hasRepeated(numbers: readonly number[]): boolean {
  return numbers.some((number, at) => number === numbers[at + 1]);
}

/** Parts count from 0; an average comes after the last one, if there is one. It may be missing: parts can cancel out. */
function hasGaps({ numbers, averages }: AuditFacts, average: boolean): boolean {
  if (numbers.some((number, at) => number !== at)) return true;
  const [at] = averages;
  return at !== undefined && (!average || averages.length > 1 || at !== numbers.length);
}

/** Whether only white space lies outside all parts, as the splitter promises. */
function isCovered(text: string, { starts, ends }: AuditFacts): boolean {
  let covered = 0;
  for (const [at, start] of starts.entries()) {
    const end = ends[at];
    // Parts without a range say nothing about the text.
    if (start === null || end === null || end === undefined) return true;
    if (start > covered && text.slice(covered, start).trim() !== '') return false;
    covered = Math.max(covered, end);
  }
  return text.slice(covered).trim() === '';
}
