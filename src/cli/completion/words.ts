import type { Argument, Command, Option } from 'commander';

/** What to complete at the end of a command line. */
export type Wanted =
  | { kind: 'commands'; of: Command }
  | { kind: 'options'; of: Command }
  /** `typed` is the part of the last word before the value: `--status=`, or empty. */
  | { kind: 'value'; of: Argument | Option; typed: string; url: string | undefined }
  | { kind: 'nothing' };

/**
 * Reads the words after the program name as commander would; the last word, which may be empty, is
 * the one being typed.
 */
export function wantedAt(program: Command, words: readonly string[]): Wanted {
  const current = words.at(-1) ?? '';
  let command = program;
  let waiting: Option | undefined;
  let isMore = false;
  let url: string | undefined;
  let given = 0;
  for (const word of words.slice(0, -1)) {
    if (waiting && (!word.startsWith('-') || !isMore)) {
      if (waiting.long === '--url') url = word;
      isMore = waiting.variadic;
      if (!isMore) waiting = undefined;
    } else if (word.startsWith('-')) {
      const [flag, value] = word.split(/=(.*)/s);
      const option = optionOf(command, flag as string);
      if (option?.long === '--url') url = value;
      waiting = value === undefined && takesValue(option) ? option : undefined;
      isMore = false;
    } else {
      const child = given === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (child) command = child;
      else given++;
    }
  }
  if (waiting && (!isMore || !current.startsWith('-'))) return { kind: 'value', of: waiting, typed: '', url };
  const [flag, value] = current.split(/=(.*)/s);
  if (current.startsWith('-')) {
    const option = value === undefined ? undefined : optionOf(command, flag as string);
    return option ? { kind: 'value', of: option, typed: `${flag}=`, url } : { kind: 'options', of: command };
  }
  if (command.commands.length > 0) return { kind: 'commands', of: command };
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[given] ?? (last?.variadic ? last : undefined);
  return argument ? { kind: 'value', of: argument, typed: '', url } : { kind: 'nothing' };
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

function takesValue(option: Option | undefined): option is Option {
  return option !== undefined && (option.required || option.optional);
}
