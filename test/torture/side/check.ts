import type pg from 'pg';
import type { Row, SideFindings, SideOracle } from './oracle.ts';

/** Compares the remaining indexes with what was written to them by name and by alias. */
export async function checkSide(db: pg.Pool, oracle: SideOracle): Promise<SideFindings> {
  const found: SideFindings = { lost: [], stale: [], resurrected: [], problems: oracle.problems() };
  for (const life of oracle.lives.filter(({ deleted }) => deleted === null)) {
    const { rows: indexes } = await db.query(`select no from reembed.indexes where name = $1 and state = 'active'`, [
      life.name,
    ]);
    if (!indexes[0]) {
      found.problems.push(`${life.name} is gone`);
      continue;
    }
    const { rows } = await db.query<Row>(
      `select object_id as id, version::float8 as version, deleted, payload from reembed.objects_${indexes[0].no}`,
    );
    const { lost, stale, resurrected } = oracle.judge(life, rows, ({ end }) => end?.version ?? null);
    found.lost.push(...lost);
    found.stale.push(...stale);
    found.resurrected.push(...resurrected);
  }
  return found;
}
