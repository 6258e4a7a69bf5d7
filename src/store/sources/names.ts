import pg from 'pg';
import type { TableName } from '../../contract/sources.ts';
import type { KeyColumn } from './resolved.ts';

/** Names of what a source has in the database of its table, and SQL text of names. */

export const ident = (name: string): string => pg.escapeIdentifier(name);
export const literal = (text: string): string => pg.escapeLiteral(text);
export const qualified = ({ schema, name }: TableName): string => `${ident(schema)}.${ident(name)}`;

/** Returns the table of changes. */
export const outboxOf = (no: number): string => `reembed.source_changes_${no}`;

/** Returns the channel on which each statement that changes rows notifies. */
export const channelOf = (no: number): string => `reembed_source_${no}`;

export type TriggerFunction = 'statement' | 'row' | 'truncate';

export const functionOf = (no: number, kind: TriggerFunction): string => `reembed.source_${no}_${kind}`;

/** Types whose text depends on settings of the session, or differs from that of their JSON. */
const BY_JSON = /^(date|timestamp|time|interval|character\()/;

/**
 * Returns SQL for the text of a key's column, the same in all sessions whose time zone is UTC. Times are in ISO 8601.
 * `value` is SQL of the column's value.
 */
export function keyText(column: KeyColumn, value: string): string {
  return BY_JSON.test(column.type) ? `to_jsonb(${value}) #>> '{}'` : `${value}::text`;
}

/** Whether the texts of a key depend on the time zone of the session. */
export function dependsOnZone(key: readonly KeyColumn[]): boolean {
  return key.some(({ type }) => type.includes('with time zone'));
}
