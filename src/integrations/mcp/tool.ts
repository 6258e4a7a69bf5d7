import type { z } from 'zod';
import type { ReembedClient } from '../../client/client.ts';
import type { Role } from '../../contract/roles.ts';

/** A tool of the MCP server. */
export interface McpTool {
  name: string;
  title: string;
  description: string;
  /** Lowest role that may call it; it is not listed for others. */
  least: Role;
  /** What a call does: nothing, something that can be undone, or something that cannot. */
  effect: 'reads' | 'changes' | 'ends';
  input: z.ZodObject;
  /** Returns what the language model reads, as JSON. */
  call: (client: ReembedClient, input: unknown) => Promise<unknown>;
}

/** Makes a tool; the input of `call` is that of the schema. */
export function mcpTool<Input extends z.ZodObject>(
  tool: Omit<McpTool, 'input' | 'call'> & {
    input: Input;
    call: (client: ReembedClient, input: z.output<Input>) => Promise<unknown>;
  },
): McpTool {
  // The server validates the input by the schema before the call.
  return tool as unknown as McpTool;
}
