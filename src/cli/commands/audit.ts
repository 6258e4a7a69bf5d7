import type { Command } from 'commander';
import type { AuditRequest } from '../../contract/audit.ts';
import { anyNumber, examples } from '../arguments.ts';
import { EXIT, Exit } from '../errors.ts';
import { type Io, oneLine } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';

/** Broken objects that are shown at the end. */
const SHOWN = 20;

export interface AuditOptions extends RemoteOptions {
  rate?: number;
  repair?: boolean;
  taskId?: string;
  detach?: boolean;
}

/** Adds `reembed audit`. */
export function addAuditCommand(program: Command, io: Io): void {
  const command = remote(program.command('audit <index>'))
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
    .addHelpText('after', examples('reembed audit docs', 'reembed audit docs --repair --rate 1000'));
  addAuditOptions(command).action(
    (
      index: string,
      { rate, repair, taskId, after, until, ...options }: AuditOptions & { after?: string; until?: string },
    ) => runAudit(io, { index, after, until, ratePerSecond: rate, repair, taskId }, options),
  );
}

/** Adds the options that all audits have. */
export function addAuditOptions(command: Command): Command {
  return command
    .option('--task-id <id>', 'id of the task; default: a generated id')
    .option('--detach', 'do not wait until the task ends');
}

/** Runs an audit, and shows the first of what it found. Error: exit code 1 if something is left. */
export async function runAudit(
  io: Io,
  request: AuditRequest,
  options: RemoteOptions & { detach?: boolean },
): Promise<void> {
  const client = clientFrom(io, options);
  const { id, ...accepted } = await client.tasks.audit(request);
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
