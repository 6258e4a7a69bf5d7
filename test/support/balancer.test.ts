import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { startBalancer } from './balancer.ts';

/** A server that answers each connection with its name. */
async function startNode(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function ask(address: string): Promise<string> {
  const [host, port] = address.split(':');
  return text(connect(Number(port), host));
}

test('a balancer spreads connections over its nodes, and leaves out one that is gone', async () => {
  const [a, b] = [await startNode('a'), await startNode('b')];
  const balancer = await startBalancer([a.port, b.port]);
  onTestFinished(balancer.stop);
  expect([await ask(balancer.address), await ask(balancer.address)].sort()).toEqual(['a', 'b']);
  a.server.close();
  await once(a.server, 'close');
  expect([await ask(balancer.address), await ask(balancer.address)]).toEqual(['b', 'b']);
  b.server.close();
  await once(b.server, 'close');
  expect(await ask(balancer.address)).toBe('');
});
