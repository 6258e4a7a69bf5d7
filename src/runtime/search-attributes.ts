import type { Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';

/** Numbers of the types on the wire (`temporal.api.enums.v1.IndexedValueType`). */
const TYPE_NUMBERS = { KEYWORD: 2, DATETIME: 6, KEYWORD_LIST: 7 } as const;

/**
 * Makes sure that the namespace has the attributes by which tasks are listed. Where we may not ask or add (Temporal
 * Cloud), it logs what is to be added by hand: the first task would otherwise stay in its first step.
 * @throws ReembedError `InvalidSetting` when one of them exists with another type.
 */
export async function registerSearchAttributes(
  connection: Connection | NativeConnection,
  namespace: string,
  log: Logger,
): Promise<void> {
  const wanted = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPE_NUMBERS[type]] as const);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = wanted.filter(([name]) => customAttributes?.[name] === undefined);
    for (const [name, type] of wanted) {
      const found = customAttributes?.[name];
      if (found !== undefined && found !== type) throw wrongType(name, namespace);
    }
    if (missing.length === 0) return;
    // Another process may add them at the same moment, which is no error.
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) });
    log.info({ namespace, added: missing.map(([name]) => name) }, 'search attributes added');
  } catch (error) {
    if (error instanceof ReembedError || isUnanswered(error)) throw error;
    const commands = wanted.map(([name]) => `--name ${name} --type ${CLI_TYPES[SEARCH_ATTRIBUTES[name as Name]]}`);
    log.warn(
      `the search attributes of namespace "${namespace}" could not be looked at or added (${messageOf(error)}); ` +
        `unless they are there, add them: temporal operator search-attribute create ${commands.join(' ')}`,
    );
  }
}

type Name = keyof typeof SEARCH_ATTRIBUTES;

const CLI_TYPES = { KEYWORD: 'Keyword', DATETIME: 'Datetime', KEYWORD_LIST: 'KeywordList' } as const;

function wrongType(name: string, namespace: string): ReembedError {
  const type = CLI_TYPES[SEARCH_ATTRIBUTES[name as Name]];
  return new ReembedError(
    'InvalidSetting',
    `the search attribute ${name} of namespace "${namespace}" is not of the type ${type}: use another namespace (TEMPORAL_NAMESPACE)`,
  );
}

/** gRPC's codes for a server that is away, rather than one that says no. */
function isUnanswered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && [4, 14].includes(Number(error.code));
}
