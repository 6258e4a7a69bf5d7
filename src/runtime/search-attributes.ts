import type { Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';

/** Wire numbers of the types (`temporal.api.enums.v1.IndexedValueType`). */
const TYPE_NUMBERS = { KEYWORD: 2, BOOL: 5, DATETIME: 6, KEYWORD_LIST: 7 } as const;

/**
 * Ensures that the namespace has the search attributes for lists of tasks. Without permission to list or add them
 * (Temporal Cloud), logs which ones to add by hand: otherwise the first task would hang in its first step.
 * @throws ReembedError `InvalidSetting` if one of them exists with a different type.
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
    // Another process may add them at the same time, which is not an error.
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) });
    log.info({ namespace, added: missing.map(([name]) => name) }, 'search attributes added');
  } catch (error) {
    if (error instanceof ReembedError || isUnanswered(error)) throw error;
    const commands = wanted.map(([name]) => `--name ${name} --type ${CLI_TYPES[SEARCH_ATTRIBUTES[name as Name]]}`);
    log.warn(
      `the search attributes of namespace "${namespace}" could not be listed or added (${messageOf(error)}); ` +
        `if they are missing, add them: temporal operator search-attribute create ${commands.join(' ')}`,
    );
  }
}

type Name = keyof typeof SEARCH_ATTRIBUTES;

const CLI_TYPES = { KEYWORD: 'Keyword', BOOL: 'Bool', DATETIME: 'Datetime', KEYWORD_LIST: 'KeywordList' } as const;

function wrongType(name: string, namespace: string): ReembedError {
  const type = CLI_TYPES[SEARCH_ATTRIBUTES[name as Name]];
  return new ReembedError(
    'InvalidSetting',
    `the search attribute ${name} of namespace "${namespace}" is not of the type ${type}: use another namespace (TEMPORAL_NAMESPACE)`,
  );
}

/** Returns true for gRPC codes of an unavailable server, as opposed to a refusal. */
function isUnanswered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && [4, 14].includes(Number(error.code));
}
