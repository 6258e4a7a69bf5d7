import type { Approve } from '../../contract/approval.ts';
import { type ErrorType, invalidField, ReembedError } from '../../contract/errors.ts';
import type { IndexConfig } from '../../contract/indexes.ts';
import type { Obstacle } from '../../contract/plan.ts';
import { type Db, readOnly, type Trx } from '../database.ts';
import { checkApproval, onField } from '../evaluations.ts';
import { findIndex, findSameIndex, resolveIndex } from '../indexes.ts';
import type { IndexRow } from '../schema.ts';
import { codeOf, SQLSTATE } from '../sqlstate.ts';
import { CONFLICT_RULES } from './conflicts.ts';
import { aliasOf, conflictStateOf, destConfigOf, type ReindexPair, requireSameVersioning } from './lock-pair.ts';
import { findOwnContent } from './origins.ts';

export interface PairRequest extends ReindexPair {
  onConflict: 'wait' | 'refuse';
  destExisting: 'refuse' | 'replace';
  approve: Approve;
}

export interface CheckedPair {
  source: IndexRow;
  /** Null if the reindex would create it. */
  dest: IndexRow | null;
  /** The settings of the destination. */
  config: IndexConfig;
  alias: string | null;
  obstacles: Obstacle[];
  warnings: string[];
}

/** Max time to compare the destination with the source. */
const COMPARE_MS = 5_000;

/** Errors that a start would report; any other one is not about the reindex. */
const LISTED: readonly ErrorType[] = [
  'IndexExists',
  'NameTaken',
  'InvalidInput',
  'IndexDeleting',
  'IndexNotFound',
  'QuerySetNotFound',
];

/**
 * Makes the checks of a reindex without its lock: lists everything that would prevent it or make it wait. Reads only.
 * Errors, where nothing can be planned: `IndexNotFound`, `InvalidInput`.
 */
export async function checkPair(db: Db, request: PairRequest): Promise<CheckedPair> {
  const checked = await readOnly(db, COMPARE_MS, (trx) => check(trx, request));
  const { source, dest, obstacles, warnings } = checked;
  if (dest && dest.state === 'active' && request.destExisting === 'refuse') {
    const own = await ownContent(db, source, dest);
    if (own === null) warnings.push(`whether ${dest.name} has its own content was not found out within 5 s`);
    else if (own !== '') obstacles.push({ reason: 'dest-newer', effect: 'refused', field: 'dest', detail: own });
  }
  return checked;
}

async function check(trx: Trx, request: PairRequest): Promise<CheckedPair> {
  const obstacles: Obstacle[] = [];
  const noting = async <T>(field: string, look: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof ReembedError) || !LISTED.includes(error.type)) throw error;
      const path = error.issues[0]?.path ?? field;
      obstacles.push({ reason: error.type, effect: 'refused', field: path, detail: error.message });
      return undefined;
    }
  };
  const source = await onField('source', () => resolveIndex(trx, request.source));
  const existing = await findIndex(trx, request.dest);
  if (existing?.no === source.no) throw invalidField('dest', 'must not be the source', `${request.dest} is the source`);
  const config = destConfigOf(source, existing, request);

  const state = await conflictStateOf(trx, source, existing ?? null, request);
  for (const rule of CONFLICT_RULES.filter((one) => one.applies(state))) {
    const waits = request.onConflict === 'wait' && !rule.alwaysRefused;
    const { reason } = rule;
    obstacles.push({ reason, effect: waits ? 'waits' : 'refused', field: null, detail: rule.describe(state) });
  }
  await noting('dest', () => requireSameVersioning(source, request.dest, config));
  if (existing?.state !== 'deleting') await noting('dest', () => findSameIndex(trx, request.dest, config));
  const alias = (await noting('alias', () => aliasOf(trx, source, request))) ?? null;
  await noting('approve', () => checkApproval(trx, request.source, request.approve));
  return { source, dest: existing ?? null, config, alias, obstacles, warnings: [] };
}

/** Describes the destination's own content; empty if there is none, null if the comparison takes too long. */
async function ownContent(db: Db, source: IndexRow, dest: IndexRow): Promise<string | null> {
  try {
    const pair = { sourceNo: source.no, destNo: dest.no };
    const { newer, unknown, examples } = await readOnly(db, COMPARE_MS, (trx) => findOwnContent(trx, pair));
    if (newer + unknown === 0) return '';
    return `${dest.name} has ${newer} objects that are newer than in the source and ${unknown} that are missing there, for instance ${examples.join(', ')}`;
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.queryCanceled) throw error;
    return null;
  }
}
