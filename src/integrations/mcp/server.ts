import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { ReembedClient } from '../../client/client.ts';
import { messageOf, ReembedError } from '../../contract/errors.ts';
import { mayDo, type Role } from '../../contract/roles.ts';
import { version } from '../../version.ts';
import { SEARCH_TOOLS } from './search-tools.ts';
import { TASK_TOOLS } from './task-tools.ts';
import type { McpTool } from './tool.ts';

/** Max. characters of one answer: a last bound, above those of the tools. */
const MAX_ANSWER_CHARS = 100_000;

export interface McpServerOptions {
  client: ReembedClient;
  /** Role of the client's token: tools that it does not allow are not listed. */
  role: Role;
  /** List only tools that change nothing; default: false. */
  readOnly?: boolean;
}

/** Creates an MCP server whose tools call the API. The API checks every call again. */
export function createMcpServer({ client, role, readOnly = false }: McpServerOptions): McpServer {
  const server = new McpServer({ name: 'reembed', version });
  for (const tool of toolsFor(role, readOnly)) {
    const { name, title, description, input, effect } = tool;
    const annotations = {
      readOnlyHint: effect === 'reads',
      destructiveHint: effect === 'ends',
      idempotentHint: true,
      openWorldHint: false,
    };
    server.registerTool(name, { title, description, inputSchema: input, annotations }, (args: unknown) =>
      answer(tool, client, args),
    );
  }
  return server;
}

/** Returns the tools that a role may call. */
export function toolsFor(role: Role, readOnly: boolean): McpTool[] {
  return [...SEARCH_TOOLS, ...TASK_TOOLS].filter(
    ({ least, effect }) => mayDo(role, least) && (!readOnly || effect === 'reads'),
  );
}

async function answer(tool: McpTool, client: ReembedClient, input: unknown) {
  try {
    const text = JSON.stringify(await tool.call(client, input));
    if (text.length <= MAX_ANSWER_CHARS) return { content: [{ type: 'text' as const, text }] };
    return failure(`TooLarge: the answer of ${tool.name} has ${text.length} characters; ask for less`);
  } catch (error) {
    return failure(error instanceof ReembedError ? `${error.type}: ${error.message}` : messageOf(error));
  }
}

function failure(text: string) {
  return { content: [{ type: 'text' as const, text: text.slice(0, MAX_ANSWER_CHARS) }], isError: true };
}
