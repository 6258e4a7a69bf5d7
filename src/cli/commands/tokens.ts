import { createHash, randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { writtenToken } from '../../contract/api-tokens.ts';
import { ReembedError } from '../../contract/errors.ts';
import { isRole, ROLE_MEANINGS, ROLES, type Role } from '../../contract/roles.ts';
import { examples } from '../arguments.ts';
import { type Io, writeResult } from '../output.ts';

/** Prefix by which secret scanners recognize a token. */
const PREFIX = 'rmb_';
const RANDOM_BYTES = 32;

/** Adds `reembed tokens …`. */
export function addTokenCommands(program: Command, io: Io): void {
  const group = program
    .command('tokens')
    .summary('create API tokens')
    .description('Creates API tokens, each with a name and a role.');

  group
    .command('create <name>')
    .summary('create a token')
    .description(
      `Creates a token and shows it once, with the line that registers its hash in the API. Nothing is stored.\n\n${ROLES.map((role) => `${role}: ${ROLE_MEANINGS[role]}`).join('\n')}`,
    )
    .addOption(new Option('--role <role>', 'role of the token').choices(ROLES).default('view'))
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('reembed tokens create ci --role operate'))
    .action((name: string, { role, json }: { role: Role; json?: boolean }) => {
      if (!/^[\w.-]{1,100}$/.test(name) || isRole(name)) {
        throw new ReembedError(
          'InvalidInput',
          'the name must be letters, digits and any of . - _, and not the name of a role',
        );
      }
      const token = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
      const sha256 = createHash('sha256').update(token).digest('hex');
      const line = writtenToken({ name, role, sha256 });
      writeResult(io, json, { name, role, token, line }, () =>
        [
          `token for ${name}; it is not shown again:`,
          `  ${token}`,
          'line for REEMBED_API_TOKENS_FILE, or entry for the comma-separated REEMBED_API_TOKENS:',
          `  ${line}`,
        ].join('\n'),
      );
    });
}
