import type { Argument, Command, Option } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { blocks, code, fence, plain, table } from './markdown.ts';

/** Creates the page of the command line from its own definitions. */
export function cliPage(): string {
  const program = createProgram(nobody());
  return blocks(
    '# Commands',
    `Every command shows this help with \`--help\`. Exit codes, JSON and completion: [the command line](../cli.md).`,
    ...leavesOf(program).map(commandSection),
  );
}

/** Lists every command with its summary. */
export function commands(): string[][] {
  return leavesOf(createProgram(nobody())).map((command) => [code(pathOf(command)), plain(command.summary())]);
}

/** A context that ignores all output. */
function nobody() {
  const nothing = () => {};
  return { env: {}, stdin: process.stdin, out: nothing, err: nothing, terminal: null, onInterrupt: () => nothing };
}

/** Returns the executable commands, without those meant only for programs. */
function leavesOf(command: Command): Command[] {
  const children = command.createHelp().visibleCommands(command);
  const own = children.filter((child) => child.name() !== 'help');
  return own.length === 0 ? [command] : own.flatMap(leavesOf);
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function commandSection(command: Command): string {
  const help = command.createHelp();
  const described = help.visibleArguments(command);
  return blocks(
    `## ${pathOf(command)}`,
    plain(command.description() || command.summary()),
    fence('text', help.commandUsage(command)),
    described.length > 0 ? table(['argument', ''], described.map(argumentRow)) : undefined,
    table(['option', ''], help.visibleOptions(command).map(optionRow)),
    fence('text', examplesOf(command)),
  ).trimEnd();
}

function argumentRow(argument: Argument): string[] {
  return [code(argument.name()), plain(argument.description)];
}

function optionRow(option: Option): string[] {
  const choices = option.argChoices ? `: ${option.argChoices.map(code).join(', ')}` : '';
  const preset = option.defaultValue === undefined ? '' : ` (default: ${code(String(option.defaultValue))})`;
  return [code(option.flags), `${plain(option.description)}${choices}${preset}`];
}

/** Returns the examples at the end of a command's help. */
function examplesOf(command: Command): string {
  let shown = '';
  command.configureOutput({ writeOut: (text) => (shown += text) }).outputHelp();
  const [, examples = ''] = shown.split('\nExamples:\n');
  return examples.replace(/^ +\$ /gm, '');
}
