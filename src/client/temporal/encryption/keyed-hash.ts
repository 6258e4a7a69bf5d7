import { createHmac, hkdfSync } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';

const PURPOSE = 'reembed names';
const KEY_BYTES = 32;
const HASH_CHARS = 32;

/** Turns a text into a name that tells nothing of it to whoever lacks the keys, always the same one. */
export type Hide = (text: string) => string;

/** A codec that can hide what Temporal needs in the clear: it finds lanes of jobs and shares of queues by them. */
export type HidingCodec = PayloadCodec & { readonly hide: Hide };

/**
 * Hides with a key of its own, derived from the one whose id sorts first: a newer key that is added, or put first for
 * encryption, changes no name.
 */
export function hideWith(ring: ReadonlyMap<string, Buffer>): Hide {
  const [first] = [...ring].sort(([left], [right]) => (left < right ? -1 : 1));
  const key = Buffer.from(hkdfSync('sha256', first?.[1] ?? '', '', PURPOSE, KEY_BYTES));
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, HASH_CHARS);
}

/** What a client hides such names with; as they are if it does not encrypt. */
export function hideOf(client: Client): Hide {
  const codecs: PayloadCodec[] = client.options.loadedDataConverter.payloadCodecs;
  return codecs.find(isHiding)?.hide ?? ((text) => text);
}

function isHiding(codec: PayloadCodec): codec is HidingCodec {
  return typeof (codec as Partial<HidingCodec>).hide === 'function';
}
