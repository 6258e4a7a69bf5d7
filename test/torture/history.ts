import type pg from 'pg';
import type { Findings } from './check.ts';
import type { Expected, Oracle } from './oracle.ts';

const SHOWN = 15;

/** Collects all facts about each wrong object: what was written, and what each index has. */
export async function tellHistories(
  db: pg.Pool,
  oracle: Oracle,
  expected: Map<string, Expected>,
  findings: Findings,
  say: (line: string) => void,
): Promise<void> {
  const { rows: indexes } = await db.query(`select no, name, state, model->>'provider' as model from reembed.indexes`);
  for (const [kind, entries] of Object.entries(findings) as [string, string[]][]) {
    for (const entry of entries.slice(0, SHOWN)) {
      const [id = ''] = entry.split(' in ');
      say(`\n${kind}: ${entry}, expected ${JSON.stringify(expected.get(id) ?? 'nothing')}`);
      for (const { taskId, kind: verb, items, end, acceptedMs } of oracle.historyOf(id)) {
        const ids = items.filter((item) => id.startsWith(item.id)).map((item) => item.id);
        const at = new Date(acceptedMs).toISOString();
        say(`  ${end?.version} ${verb} ${ids.join()} by ${taskId} at ${at}: ${end?.status}, ${end?.detail}`);
      }
      for (const { no, name, state, model } of indexes) {
        const { rows } = await db
          .query(
            `select version, change, deleted, deleted_version, failed, payload::text, metadata::text, original_id, write_time
             from reembed.objects_${no} where object_id = $1`,
            [id],
          )
          .catch(() => ({ rows: [] }));
        for (const row of rows) say(`  ${name} (${no}, ${model}, ${state}): ${JSON.stringify(row)}`);
      }
    }
    if (entries.length > SHOWN) say(`… and ${entries.length - SHOWN} more ${kind}`);
  }
}
