import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { serveMcp } from '../../integrations/mcp/serve.ts';
import { examples } from '../arguments.ts';
import type { Io } from '../output.ts';
import { clientFrom } from '../remote.ts';

interface McpOptions {
  url?: string;
  readOnly?: boolean;
}

/** Adds `reembed mcp`. */
export function addMcpCommand(program: Command, io: Io): void {
  program
    .command('mcp')
    .summary('serve tools for language models (MCP, on standard input and output)')
    .description(
      'Serves the Model Context Protocol on standard input and output, for a program that runs a language model and ' +
        'starts this command. The tools list and search indexes, and list, show, pause, resume, cancel, approve and ' +
        'reject tasks; those that the role of the token in REEMBED_TOKEN does not allow are not listed. Needs the npm ' +
        'package @modelcontextprotocol/sdk.',
    )
    .option('--url <url>', 'API address (default: as for other commands)')
    .option('--read-only', 'list only the tools that change nothing')
    .addHelpText('after', examples('reembed mcp', 'reembed mcp --read-only'))
    .action(async ({ url, readOnly }: McpOptions) => {
      const stop = new AbortController();
      const dispose = io.onInterrupt(() => stop.abort());
      try {
        const streams = { input: io.stdin as Readable, output: process.stdout };
        await serveMcp({ client: clientFrom(io, { url }), readOnly, ...streams, signal: stop.signal });
      } finally {
        dispose();
      }
    });
}
