import { createHash, randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { writtenToken } from '../../contract/api-tokens.ts';
import { ReembedError } from '../../contract/errors.ts';
import { isRole, ROLE_MEANINGS, ROLES, type Role } from '../../contract/roles.ts';
import { examples } from '../arguments.ts';
import { type Io, writeResult } from '../output.ts';

/** Marks a token as one, for programs that look for secrets where they should not be. */
const PREFIX = 'rmb_';
const RANDOM_BYTES = 32;

/** `reembed tokens …` */
export function addTokenCommands(program: Command, io: Io): void {
  const group = program
    .command('tokens')
    .summary('make tokens for the API')
    .description('Tokens of the API: who may call it, under which name, and what each may do.');

  group
    .command('create <name>')
    .summary('make a token')
    .description(
      `Makes a token and shows it once, with the line that lets the API know it without holding it. Nothing is stored.\n\n${ROLES.map((role) => `${role}: ${ROLE_MEANINGS[role]}`).join('\n')}`,
    )
    .addOption(new Option('--role <role>', 'what its holder may do').choices(ROLES).default('view'))
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('reembed tokens create ci --role operate'))
    .action((name: string, { role, json }: { role: Role; json?: boolean }) => {
      if (!/^[\w.-]{1,100}$/.test(name) || isRole(name)) {
        throw new ReembedError('InvalidInput', 'the name must be letters, digits and any of . - _, and no role');
      }
      const token = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
      const sha256 = createHash('sha256').update(token).digest('hex');
      const line = writtenToken({ name, role, sha256 });
      writeResult(io, json, { name, role, token, line }, () =>
        [
          `token, for ${name}; it is not shown again:`,
          `  ${token}`,
          'line for REEMBED_API_TOKENS_FILE, or for REEMBED_API_TOKENS with commas between several:',
          `  ${line}`,
        ].join('\n'),
      );
    });
}
