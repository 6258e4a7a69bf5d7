import { setTimeout as delay } from 'node:timers/promises';
import { invalidField, messageOf, ReembedError } from '../contract/errors.ts';
import { followerIdOf } from '../contract/names.ts';
import type { WriteState } from '../contract/write-token.ts';
import type { Db } from '../store/database.ts';
import { resolveIndex } from '../store/indexes.ts';
import type { SourceDatabases } from '../store/sources/databases.ts';
import { findSource, listSources, type SourceRow } from '../store/sources/rows.ts';
import { countFailedChanges, readTransaction } from '../store/sources/write-token.ts';
import { isConnectionError } from '../store/sqlstate.ts';

/** Time between two looks; it grows, since most transactions are synced within moments. */
const POLL_MS = { first: 20, max: 500 };

export interface TransactionTokens {
  db: Db;
  sourceDatabases: SourceDatabases;
}

interface Wait {
  timeoutMs: number;
  signal: AbortSignal;
  field: string;
}

/**
 * Waits until everything that a transaction changed in the table behind an index is searchable, or it never will be, for
 * at most `timeoutMs`. Errors: `IndexNotFound`, `InvalidInput` if no source with triggers follows a table into the index
 * or the token is of another database, `DatabaseUnavailable`.
 */
export async function awaitTransaction(
  { db, sourceDatabases }: TransactionTokens,
  name: string,
  { token, xid, mark }: { token: string; xid: string; mark: string },
  { timeoutMs, signal, field }: Wait,
): Promise<WriteState> {
  const endMs = Date.now() + timeoutMs;
  const source = await findFollowing(db, name, field);
  for (let pauseMs = POLL_MS.first; ; pauseMs = Math.min(POLL_MS.max, pauseMs * 2)) {
    const found = await lookAt({ db, sourceDatabases }, source, { xid, mark, field });
    const leftMs = endMs - Date.now();
    if (found.ended || leftMs <= 0) {
      return { token, index: (await resolveIndex(db, name)).name, ...found };
    }
    await delay(Math.min(pauseMs, leftMs), undefined, { signal });
  }
}

/** Finds the source that follows a table into an index, by the name of the index or of an alias of it. */
async function findFollowing(db: Db, name: string, field: string): Promise<SourceRow> {
  const index = await resolveIndex(db, name);
  const sources = await listSources(db);
  const isOf = async (one: string) => (await resolveIndex(db, one).catch(() => undefined))?.no === index.no;
  let source = sources.find(({ definition }) => definition.index === name);
  for (const one of sources) if (!source && (await isOf(one.definition.index))) source = one;
  if (!source) throw invalidField(field, `is of a transaction, but no source follows a table into ${name}`);
  if (source.definition.follow === 'poll') {
    throw invalidField(field, `is of a transaction, but the source ${source.name} has no triggers that record any`);
  }
  return source;
}

type Found = Pick<WriteState, 'searchable' | 'ended' | 'status' | 'failed' | 'detail'>;

async function lookAt(
  { db, sourceDatabases }: TransactionTokens,
  { no, name, definition }: SourceRow,
  { xid, mark, field }: { xid: string; mark: string; field: string },
): Promise<Found> {
  const ended = (status: WriteState['status'], detail: string, failed = 0): Found => ({
    ...{ searchable: status === 'done' && failed === 0, ended: true, status, failed, detail },
  });
  const goesOn = (detail: string): Found => ({
    ...{ searchable: false, ended: false, status: 'processing', failed: 0, detail },
  });
  const request = { sourceNo: no, xid, mark, field };
  const read = () => readTransaction(sourceDatabases.of(definition.connectionEnv), request);
  const facts = await read().catch((error) => {
    if (!isConnectionError(error)) throw error;
    const message = `the database of the source ${name} does not answer: ${messageOf(error)}`;
    throw new ReembedError('DatabaseUnavailable', message, { cause: error });
  });
  // Read after the outbox: it may have been stopped, or removed, since it was found.
  const source = await findSource(db, name);
  if (source?.no !== no) return ended('canceled', `the source ${name} was removed`);
  if (!facts.isOwn) throw invalidField(field, `must be of a transaction in the database of the source ${name}`);
  if (facts.status === 'aborted') return ended('canceled', 'the transaction was rolled back: it changed nothing');
  if (facts.status === 'in progress') return goesOn('the transaction has not ended');
  if (source.state === 'stopped' && (facts.hasChanges || !facts.isRecorded)) {
    return ended('paused', `the source ${name} is stopped: ${source.reason ?? 'by a call'}`);
  }
  if (facts.hasChanges || !facts.isRecorded) {
    const why = source.reason === null ? '' : `; the source ${name} is ${source.state}: ${source.reason}`;
    return goesOn(`changes of the transaction are not in the index yet${why}`);
  }
  const failed = await countFailedChanges(db, { sourceNo: no, taskId: followerIdOf(name), xid });
  if (failed === 0) return ended('done', 'all that the transaction changed is in the index');
  return ended('done', `${failed} rows could not be synced: see the failed items of ${followerIdOf(name)}`, failed);
}
