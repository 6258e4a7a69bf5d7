import { type WriteState, writeStateSchema } from '../contract/write-token.ts';
import { readAs, type Send, segment } from './request.ts';

/** Creates the call that waits until a write is searchable: check `searchable`, and `ended` if it is false. */
export function awaitWriteCall(send: Send) {
  return async (
    index: string,
    token: string,
    { timeout, signal }: { timeout?: number; signal?: AbortSignal } = {},
  ): Promise<WriteState> => {
    const path = `/v1/indexes/${segment(index)}/wait`;
    return readAs(await send('GET', path, { query: { token, timeout }, ...(signal && { signal }) }), writeStateSchema);
  };
}
