import type { QuerySeen } from '../store/database.ts';
import { tellSpan } from './spans.ts';

const MAX_CHARS = 2_000;
const WRITE = /\b(?:insert into|delete from|update) "?reembed"?\./i;
const TABLE = /"?reembed"?\."?([a-z_]+?)(_\d+)?"?\b/;

/** Creates a span for a statement. Its text contains no values, since these are sent separately. */
export function traceQuery({ sql, ms, error }: QuerySeen): void {
  const text = sql.replace(/\s+/g, ' ').trim();
  const first = /^\w+/.exec(text)?.[0].toLowerCase() ?? 'query';
  // What a statement with CTEs writes first says more than that it has some.
  const from = first === 'with' ? Math.max(text.search(WRITE), 0) : 0;
  const operation = /^\w+/.exec(text.slice(from))?.[0].toLowerCase() ?? first;
  // The name of an index's table is shown without the index number.
  const table = TABLE.exec(text.slice(from))?.[1];
  tellSpan(table === undefined ? operation : `${operation} ${table}`, {
    ms,
    error,
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      'db.query.text': text.slice(0, MAX_CHARS),
      ...(table !== undefined && { 'db.collection.name': table }),
    },
  });
}
