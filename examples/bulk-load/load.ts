/**
 * Writes objects to an index and deletes objects from it, from a file with one JSON object per line: `{"id",
 * "payload"}` to write, `{"id", "deleted": true}` to delete. The file can have any size and repeat an id: the last line
 * wins. Failed operations are printed to standard error, so that they can be checked and sent again.
 *
 *   npx tsx examples/bulk-load/load.ts objects.ndjson docs
 */
import { createReadStream } from 'node:fs';
import { type BulkOperation, createClient } from 'reembed/client';

const [file = '', index = ''] = process.argv.slice(2);
const reembed = createClient({ baseUrl: process.env.REEMBED_URL ?? 'http://127.0.0.1:7400' });

/** Splits only at line feeds: Node's readline also splits at separators that JSON strings may contain. */
async function* lines(): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8')) {
    const [last = '', ...whole] = (rest + chunk).split('\n').reverse();
    rest = last;
    yield* whole.reverse();
  }
  yield rest;
}

async function* operations(): AsyncGenerator<BulkOperation> {
  for await (const line of lines()) {
    if (line.trim() === '') continue;
    const { deleted, ...item } = JSON.parse(line);
    yield deleted ? { delete: item.id } : { upsert: item };
  }
}

const bulk = reembed.bulk({ index, concurrency: 8 });
for await (const report of bulk.run(operations())) {
  if (report.status === 'failed') console.error(JSON.stringify(report));
}

const { done, failed, unchanged, batches, seconds } = bulk.summary;
console.log(`${done} done (${unchanged} unchanged), ${failed} failed, in ${batches} tasks and ${seconds.toFixed(1)} s`);
process.exitCode = failed > 0 ? 1 : 0;
