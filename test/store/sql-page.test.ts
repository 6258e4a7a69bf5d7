import { readFileSync } from 'node:fs';
import { CompiledQuery, sql } from 'kysely';
import { expect, it } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, vectorOf, writeIn } from './builders.ts';

const PAGE = readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8');
const STATEMENTS = [...PAGE.matchAll(/^```sql\n([^`]*)^```$/gm)].map(([, code = '']) => code.trim());

onBothDatabases((database) => {
  it('the statements of the page about SQL run, and those that search find the object', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1, { text: 'a lion', metadata: { lang: 'en' } })]);
    await setAlias(db, 'docs', index.name);
    const values = [JSON.stringify(vectorOf(1)), index.name];
    const found: unknown[] = [];
    for (const statement of STATEMENTS) {
      const count = new Set(statement.match(/\$\d/g)).size;
      const { rows } = await db.executeQuery<{ object_id: string }>(
        CompiledQuery.raw(statement, values.slice(0, count)),
      );
      if (statement.startsWith('select')) found.push(rows.map((row) => row.object_id));
    }
    await sql`reset hnsw.iterative_scan`.execute(db);
    expect(found).toEqual(Array.from({ length: 4 }, () => ['a']));
    expect(STATEMENTS.length - found.length).toBe(3);
  });
});
