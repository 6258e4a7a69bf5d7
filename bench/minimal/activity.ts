import { sql } from 'kysely';
import type { Db } from '../../src/store/database.ts';

export interface MinimalActivities {
  /** Embeds one text and writes it with one statement. */
  embedAndWrite(id: string, text: string): Promise<void>;
}

/** Creates the activity and the table that it writes to. */
export async function createMinimalActivities(
  db: Db,
  { modelUrl, dimensions }: { modelUrl: string; dimensions: number },
): Promise<MinimalActivities> {
  await sql`
    create table bench_minimal (
      id text collate "C" primary key, payload jsonb not null, embedding vector(${sql.lit(dimensions)}) not null
    )`.execute(db);
  return {
    async embedAndWrite(id, text) {
      const response = await fetch(`${modelUrl}/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'bench', input: [text] }),
      });
      const { data } = (await response.json()) as { data: { embedding: number[] }[] };
      await sql`
        insert into bench_minimal (id, payload, embedding)
        values (${id}, ${JSON.stringify(text)}::jsonb, ${JSON.stringify(data[0]?.embedding)}::vector)
        on conflict (id) do update set payload = excluded.payload, embedding = excluded.embedding`.execute(db);
    },
  };
}
