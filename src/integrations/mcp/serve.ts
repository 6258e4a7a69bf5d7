import type { Readable, Writable } from 'node:stream';
import type { ReembedClient } from '../../client/client.ts';
import { ReembedError } from '../../contract/errors.ts';

export interface ServeMcpOptions {
  client: ReembedClient;
  readOnly?: boolean;
  input: Readable;
  output: Writable;
  /** Ends the server. */
  signal?: AbortSignal;
}

/**
 * Serves MCP on two streams until the input or the signal ends it. Errors: `ServerUnavailable` if the API or the
 * package of MCP is not there, `Unauthorized`.
 */
export async function serveMcp({ client, readOnly, input, output, signal }: ServeMcpOptions): Promise<void> {
  const [{ createMcpServer }, { StdioServerTransport }] = await loadSdk();
  const { role } = await client.me();
  const server = createMcpServer({ client, role, readOnly });
  const ended = new Promise<void>((resolve) => {
    input.once('end', resolve).once('close', resolve);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    if (signal?.aborted) resolve();
  });
  await server.connect(new StdioServerTransport(input, output));
  await ended;
  await server.close();
}

async function loadSdk() {
  try {
    return await Promise.all([import('./server.ts'), import('@modelcontextprotocol/sdk/server/stdio.js')]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ReembedError(
      'ServerUnavailable',
      'the package of the Model Context Protocol is not installed: npm install @modelcontextprotocol/sdk',
      { cause: error },
    );
  }
}
