import type { Command } from 'commander';
import { anyNumber, examples } from '../arguments.ts';
import { EXIT, Exit } from '../errors.ts';
import { type Io, oneLine } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';

/** Broken objects that are shown at the end. */
const SHOWN = 20;

interface AuditOptions extends RemoteOptions {
  after?: string;
  until?: string;
  rate?: number;
  repair?: boolean;
  taskId?: string;
  detach?: boolean;
}

/** Adds `reembed audit`. */
export function addAuditCommand(program: Command, io: Io): void {
  remote(program.command('audit <index>'))
    .summary('look for broken objects in an index, and repair them')
    .description(
      'Looks at every object of INDEX and its parts, and reports what no search can find as it should. An object is ' +
        'looked at twice before it is reported. Exit codes: 0 nothing is broken, or everything was repaired; 1 something ' +
        'is broken, or failure.',
    )
    .option('--after <id>', 'look only at objects after this id')
    .option('--until <id>', 'look only at objects up to this id')
    .option('--rate <objects>', 'maximum objects looked at per second', anyNumber)
    .option('--repair', 'embed broken objects again, and delete parts without an object')
    .option('--task-id <id>', 'id of the task; default: a generated id')
    .option('--detach', 'do not wait until the task ends')
    .addHelpText('after', examples('reembed audit docs', 'reembed audit docs --repair --rate 1000'))
    .action(async (index: string, options: AuditOptions) => {
      const client = clientFrom(io, options);
      const { after, until, rate, repair, taskId } = options;
      const { id, ...accepted } = await client.tasks.audit({
        index,
        after,
        until,
        ratePerSecond: rate,
        repair,
        taskId,
      });
      if (options.detach) {
        writeAccepted(io, options.json, { id, ...accepted });
        return;
      }
      if (!options.json) io.err(`task ${id}\n`);
      await followTask(io, client, id, { json: options.json === true });
      const { progress } = await client.tasks.info(id);
      if (progress.failed === 0) return;
      if (!options.json) await writeFirst(io, client.tasks.failedItems(id));
      throw new Exit(EXIT.failed);
    });
}

async function writeFirst(
  io: Io,
  items: AsyncIterable<{ objectId: string; reason: string; detail: string }>,
): Promise<void> {
  let shown = 0;
  for await (const { objectId, reason, detail } of items) {
    if (shown++ === SHOWN) return;
    io.out(`${oneLine(`${objectId}  ${reason}  ${detail}`)}\n`);
  }
}
