import type { Command } from 'commander';
import { healthProblems, type ServerHealth } from '../../contract/health.ts';
import { examples } from '../arguments.ts';
import { EXIT, Exit } from '../errors.ts';
import { type Io, table, writeResult } from '../output.ts';
import { durationText } from '../progress.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

/** `reembed health` */
export function addHealthCommand(program: Command, io: Io): void {
  remote(program.command('health'))
    .summary('show whether Postgres, Temporal and the workers answer')
    .description(
      'Shows whether Postgres, Temporal and the workers answer now, and what to do if not: for a look when something ' +
        'stands still, and for scripts that wait for the system. Exits with 1 if one does not answer. What answers but ' +
        'is set up wrongly, or will hurt later, is what `reembed doctor` finds.',
    )
    .addHelpText('after', examples('reembed health'))
    .action(async (options: RemoteOptions) => {
      const health = await clientFrom(io, options).health();
      const problems = healthProblems(health);
      writeResult(io, options.json, health, () => healthText(health));
      if (problems.length > 0) throw new Exit(EXIT.failed);
    });
}

function healthText(health: ServerHealth): string {
  const { database, databases, temporal, queues } = health;
  const answer = (answers: boolean) => (answers ? 'answers' : 'does not answer');
  const rows = [
    ...(databases ?? [{ name: undefined, answers: database.answers }]).map(({ name, answers }) => ({
      part: name === undefined ? 'postgres' : `database ${name}`,
      state: answer(answers),
    })),
    { part: 'temporal', state: answer(temporal.answers) },
    ...(queues ?? []).map(({ queue, kind, workers, backlog, backlogAgeSeconds }) => ({
      part: `queue ${queue}, ${kind}`,
      state: `${workers} workers, ${backlog} waiting${backlog > 0 ? ` for up to ${durationText(backlogAgeSeconds)}` : ''}`,
    })),
  ];
  const columns = [
    { title: 'PART', value: (row: (typeof rows)[number]) => row.part },
    { title: 'STATE', value: (row: (typeof rows)[number]) => row.state },
  ];
  const advice = healthProblems(health).map(({ title, means, advice: what }) => `${title}. ${means} ${what}`);
  return [table(rows, columns, ''), ...advice].join('\n');
}
