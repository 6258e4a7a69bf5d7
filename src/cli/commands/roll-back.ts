import type { Command } from 'commander';
import type { RollBack } from '../../client/client.ts';
import { examples } from '../arguments.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface RollBackOptions extends RemoteOptions {
  to?: string;
  reason?: string;
  dryRun?: boolean;
}

/** Adds `reembed tasks roll-back`. */
export function addRollBackCommand(group: Command, io: Io): void {
  remote(group.command('roll-back <task>'))
    .summary('let the old index of a reindex serve again')
    .description(
      'Rolls back a reindex whose old index is kept current: its aliases move back in one step, and nothing is lost. ' +
        'From then on the new index is kept current, and neither is deleted. --to names the new index to roll forward.',
    )
    .option('--to <index>', 'the index that shall serve; default: the old one')
    .option('--reason <text>', 'reason stored with the task')
    .option('--dry-run', 'change nothing, show both indexes and what was written since the switch')
    .addHelpText(
      'after',
      examples(
        'reembed tasks roll-back rebuild-1 --dry-run',
        'reembed tasks roll-back rebuild-1 --reason "worse answers"',
        'reembed tasks roll-back rebuild-1 --to docs-v2',
      ),
    )
    .action(async (taskId: string, { to, reason, dryRun = false, ...options }: RollBackOptions) => {
      const { tasks } = clientFrom(io, options);
      const found = dryRun ? await tasks.rollBackOf(taskId) : await tasks.rollBack(taskId, { to, reason });
      writeResult(io, options.json, found, () => (dryRun ? plannedText(found) : doneText(found)));
    });
}

function plannedText(found: RollBack): string {
  const { from, to, aliases, since } = found;
  return `${from} serves ${namesOf(aliases)} since ${since}: ${writtenText(found)}\na roll back lets ${to} serve, which is kept current`;
}

function doneText({ from, to, last }: RollBack): string {
  if (last?.to !== from) return `${from} serves already; ${to} is kept current`;
  return (
    `${from} serves ${namesOf(last.aliases)}; ${to} is kept current\n` +
    `while ${last.from} served: ${writtenText(last)}, all of them in ${from} too`
  );
}

function writtenText({ written, deleted, isMore }: Pick<RollBack, 'written' | 'deleted' | 'isMore'>): string {
  return `${isMore ? 'at least ' : ''}${written} objects written, ${deleted} deleted`;
}

function namesOf(aliases: readonly string[]): string {
  return aliases.length === 0 ? 'no alias' : aliases.join(', ');
}
