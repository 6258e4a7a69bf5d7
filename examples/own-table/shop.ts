/**
 * A shop that speaks only SQL. It writes its table, and reads similar products through the view of the alias `shop`. It knows
 * neither the model nor the index, so both can change at any time. Ctrl-C ends it.
 *
 *   DATABASE_URL=postgres://… npx tsx examples/own-table/shop.ts
 */
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

const db = new pg.Client({ connectionString: process.env.DATABASE_URL });
await db.connect();

let isOpen = true;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isOpen = false));

/** What the staff does, in turn. */
const WRITES: ((turn: number) => [sql: string, values: unknown[]])[] = [
  // A new product is searchable moments after the commit.
  (turn) => [
    'insert into products (name, about, price) values ($1, $2, $3)',
    [`Mug ${turn}`, `A mug for camping, number ${turn}, for tea beside the tent`, 9 + (turn % 5)],
  ],
  // Other words: the model reads them again.
  (turn) => ["update products set about = $1 where name = 'Desk lamp'", [`A lamp with a warm light, edition ${turn}`]],
  // A price is metadata: no call of the model.
  (turn) => ["update products set price = $1 where name = 'Toaster'", [40 + (turn % 10)]],
  // The stock is not taken at all.
  () => ['update products set stock = stock - 1 where stock > 0', []],
  // Sold out.
  () => ["delete from products where id = (select min(id) from products where name like 'Mug%')", []],
];

/** The products that are most like another, by the vectors of the index that serves. One statement reads one index. */
async function similarTo(name: string): Promise<string> {
  const { rows } = await db.query(
    `select p.name, p.price
     from reembed.search_shop s
     join products p on p.id::text = s.object_id
     where p.name not in ($1) and p.name not like 'Mug%'
     order by s.embedding <=> (
       select mine.embedding
       from reembed.search_shop mine
       join products own on own.id::text = mine.object_id
       where own.name = $1
       limit 1
     )
     limit 2`,
    [name],
  );
  return rows.map((row) => `${row.name} (${row.price})`).join(', ');
}

let turn = 0;
while (isOpen) {
  const [statement, values] = (WRITES[turn % WRITES.length] as (typeof WRITES)[number])(turn);
  await db.query(statement, values);
  turn += 1;
  if (turn % 25 === 0) console.log(`like the tent: ${await similarTo('Tent')}`);
  await setTimeout(20);
}
console.log(`closed after ${turn} writes`);
await db.end();
