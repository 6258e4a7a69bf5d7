import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HostileServers {
  /** Answers 10 MB of text at any path. */
  textUrl: string;
  /** Base URL, including `/v1`, of a model whose answers do not end. */
  modelUrl: string;
  close(): void;
}

const PIECE = Buffer.alloc(64 * 1024, 'lorem ipsum dolor sit amet ');
const TEXT_PIECES = 150;
/** Endless in practice; it ends eventually, so that the check itself does not hang. */
const ANSWER_PIECES = 16_000;

export async function startHostileServers(): Promise<HostileServers> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith('/v1/')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"data":[{"index":0,"embedding":"');
      send(response, Buffer.alloc(64 * 1024, 'A'), ANSWER_PIECES);
    } else {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
      send(response, PIECE, TEXT_PIECES);
    }
  });
  await listening(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    textUrl: `${url}/text`,
    modelUrl: `${url}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function send(response: ServerResponse, piece: Buffer, left: number): void {
  let count = left;
  const more = () => {
    while (count-- > 0 && !response.destroyed) {
      if (!response.write(piece)) return void response.once('drain', more);
    }
    response.end();
  };
  response.on('error', () => {});
  more();
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
