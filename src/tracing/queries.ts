import type { QuerySeen } from '../store/database.ts';
import { tellSpan } from './spans.ts';

const MAX_CHARS = 2_000;

/** Creates a span for a statement. Its text contains no values, since these are sent separately. */
export function traceQuery({ sql, ms, error }: QuerySeen): void {
  const text = sql.replace(/\s+/g, ' ').trim();
  const operation = /^\w+/.exec(text)?.[0].toLowerCase() ?? 'query';
  // The name of an index's table is shown without the index number.
  const table = /"?reembed"?\."?([a-z_]+?)(_\d+)?"?\b/.exec(text)?.[1];
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
