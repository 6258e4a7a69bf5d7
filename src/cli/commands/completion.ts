import { Argument, type Command } from 'commander';
import { examples } from '../arguments.ts';
import { completionLines } from '../completion/candidates.ts';
import { SCRIPTS, SHELLS } from '../completion/scripts.ts';
import type { Io } from '../output.ts';

/** Adds `reembed completion SHELL`, and `reembed complete`, which its scripts call. */
export function addCompletionCommands(program: Command, io: Io): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'shell to complete in').choices(SHELLS))
    .summary('print a shell completion script')
    .description(
      'Prints a script that makes a shell complete commands, options and their values. Names of indexes, aliases and ' +
        'jobs, and ids of tasks, come from the API.',
    )
    .addHelpText(
      'after',
      examples(
        "echo 'source <(reembed completion bash)' >> ~/.bashrc",
        "echo 'source <(reembed completion zsh)' >> ~/.zshrc",
        'reembed completion fish > ~/.config/fish/completions/reembed.fish',
      ),
    )
    .action((shell: keyof typeof SCRIPTS) => io.out(SCRIPTS[shell]));

  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const lines = await completionLines(program, io, words);
      io.out(lines.map((line) => `${line}\n`).join(''));
    });
}
