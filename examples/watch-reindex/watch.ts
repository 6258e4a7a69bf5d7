/**
 * Rebuilds the index of an alias with another model and shows the progress. Ctrl-C stops the watching, not the rebuild:
 * if started again with the same arguments, it finds the same task and continues to watch.
 *
 *   npx tsx examples/watch-reindex/watch.ts docs docs-v2 words
 */
import { createClient } from 'reembed/client';

const [alias = '', dest = '', provider = 'words'] = process.argv.slice(2);
const reembed = createClient({ baseUrl: process.env.REEMBED_URL ?? 'http://127.0.0.1:7400' });

// The id identifies the task: repeating the call finds the same task.
const destModel = { provider: provider as 'words' | 'hash' };
const { id } = await reembed.tasks.reindex({ taskId: `${alias}-to-${dest}`, source: alias, dest, destModel });

let status = '';
// Reconnects after a lost connection; the loop ends when the task has ended.
for await (const tracker of reembed.tasks.events(id)) {
  const { done, total, etaSeconds } = tracker.progress;
  status = tracker.status;
  console.log(`${status}: ${done} of ${total}${etaSeconds ? `, ${etaSeconds} s left` : ''} — ${tracker.detail}`);
}

for await (const { objectId, reason } of reembed.tasks.failedItems(id))
  console.log(`not embedded: ${objectId}, ${reason}`);
const serving = (await reembed.indexes.get(alias)).name;
console.log(`${alias} is served by ${serving}`);
process.exitCode = status === 'done' ? 0 : 1;
