import { type Command, Option } from 'commander';
import { type Doctor, SEVERITIES, type Severity } from '../../contract/doctor.ts';
import { examples } from '../arguments.ts';
import { EXIT, Exit } from '../errors.ts';
import { type Io, oneLine, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

/** Adds `reembed doctor`. */
export function addDoctorCommand(program: Command, io: Io): void {
  remote(program.command('doctor'))
    .summary('check the database, Temporal and the settings')
    .description(
      'Checks the database, Temporal and the settings for what is wrong or will hurt, and says what each finding means ' +
        'and what to do. Nothing is changed. For a look after the set-up, after an upgrade and each night: it needs ' +
        'Postgres and Temporal to answer, which `reembed health` tells.',
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 if something of this severity, or above, is found').choices([
        ...SEVERITIES,
      ]),
    )
    .addHelpText('after', examples('reembed doctor', 'reembed doctor --fail-on warning --json'))
    .action(async (options: RemoteOptions & { failOn?: Severity }) => {
      const found = await clientFrom(io, options).doctor();
      writeResult(io, options.json, found, () => doctorText(found));
      const { failOn } = options;
      if (failOn && found.findings.some(({ severity }) => severity === 'error' || failOn === 'warning')) {
        throw new Exit(EXIT.failed);
      }
    });
}

function doctorText({ checks, findings }: Doctor): string {
  if (findings.length === 0) return `${checks} checks, nothing found`;
  const texts = findings.map(({ check, severity, means, todo, count, details }) =>
    [
      `${severity}: ${check}`,
      ...details.map((detail) => `  ${oneLine(detail)}`),
      ...(count > details.length ? [`  and ${count - details.length} more`] : []),
      `  means: ${means}`,
      `  do: ${todo}`,
    ].join('\n'),
  );
  return `${texts.join('\n')}\n${checks} checks, ${findings.length} findings`;
}
