import type { QuerySeen } from '../store/database.ts';
import { tellSpan } from './spans.ts';

const MOST_CHARS = 2_000;

/** A span of a statement: its text as it is sent, whose values travel apart and are not told. */
export function traceQuery({ sql, ms, error }: QuerySeen): void {
  const text = sql.replace(/\s+/g, ' ').trim();
  const operation = /^\w+/.exec(text)?.[0].toLowerCase() ?? 'query';
  // The table of an index is named without the index's number.
  const table = /"?reembed"?\."?([a-z_]+?)(_\d+)?"?\b/.exec(text)?.[1];
  tellSpan(table === undefined ? operation : `${operation} ${table}`, {
    ms,
    error,
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      'db.query.text': text.slice(0, MOST_CHARS),
      ...(table !== undefined && { 'db.collection.name': table }),
    },
  });
}
