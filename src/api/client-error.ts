import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ReembedError } from '../contract/errors.ts';
import { PROBLEM_MEDIA_TYPE } from '../contract/problem.ts';
import { problemOf } from './problems.ts';

/**
 * For `server.on('clientError')`: responds to an unreadable request with a problem, like every other error. Node would
 * send only a status.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = problemOf(
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ReembedError(
          'HeadersTooLarge',
          'the address and the headers have more than 16 KB: send long values in a body',
        )
      : new ReembedError('InvalidInput', 'the request is not HTTP, or did not arrive in time'),
  );
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}
