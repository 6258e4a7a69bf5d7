import { Command } from 'commander';
import { version } from '../version.ts';
import { examples } from './arguments.ts';
import { addAliasCommands } from './commands/aliases.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCompletionCommands } from './commands/completion.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEmbedCommand } from './commands/embed.ts';
import { addEvaluateCommands } from './commands/evaluate.ts';
import { addExportCommand } from './commands/export.ts';
import { addHealthCommand } from './commands/health.ts';
import { addImportCommand } from './commands/import.ts';
import { addIndexCommands } from './commands/indexes.ts';
import { addJobCommands } from './commands/jobs.ts';
import { addMcpCommand } from './commands/mcp.ts';
import { addModelCommands } from './commands/models.ts';
import { addObjectCommands } from './commands/objects.ts';
import { addProcessCommands } from './commands/processes.ts';
import { addQueryCommands } from './commands/queries.ts';
import { addReindexCommand } from './commands/reindex.ts';
import { addScheduleCommands } from './commands/schedules.ts';
import { addSearchCommand } from './commands/search.ts';
import { addSearchBatchCommand } from './commands/search-many.ts';
import { addSourceCommands } from './commands/sources.ts';
import { addTaskCommands } from './commands/tasks.ts';
import { addTokenCommands } from './commands/tokens.ts';
import { addWaitCommand } from './commands/wait.ts';
import { addWriteCommands } from './commands/writes.ts';
import { EXIT, reportError } from './errors.ts';
import type { Io } from './output.ts';
import { paintIf } from './paint.ts';

/** Runs one command line and returns its exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const program = createProgram(io);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return reportError(error, args.includes('--json'), io);
  }
}

/** Creates the program with all commands. */
export function createProgram(io: Io): Command {
  const program = new Command('reembed')
    .description('Keeps vector indexes correct while they are written to and rebuilt.')
    .version(version, '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(use --help for usage)')
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHasColors: () => io.colours?.out === true,
      getErrHasColors: () => io.colours?.err === true,
    })
    .configureHelp({ styleTitle: paintIf(true).title })
    .addHelpText(
      'after',
      examples(
        'reembed dev --tour',
        'reembed index create docs --provider words',
        'reembed upsert docs.ndjson --index docs --wait',
        'reembed search docs "large cats"',
      ),
    );
  // Inherited by commands added after this call.
  program.exitOverride();
  addProcessCommands(program, io);
  addConfigCommand(program, io);
  addHealthCommand(program, io);
  addDoctorCommand(program, io);
  addIndexCommands(program, io);
  addAliasCommands(program, io);
  addWriteCommands(program, io);
  addExportCommand(program, io);
  addImportCommand(program, io);
  addObjectCommands(program, io);
  addSourceCommands(program, io);
  addReindexCommand(program, io);
  addQueryCommands(program, io);
  addEvaluateCommands(program, io);
  addAuditCommand(program, io);
  addSearchCommand(program, io);
  addSearchBatchCommand(program, io);
  addEmbedCommand(program, io);
  addWaitCommand(program, io);
  addTaskCommands(program, io);
  addJobCommands(program, io);
  addScheduleCommands(program, io);
  addMcpCommand(program, io);
  addModelCommands(program, io);
  addTokenCommands(program, io);
  addCompletionCommands(program, io);
  return program;
}
