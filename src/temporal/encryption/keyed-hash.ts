import { createHmac, hkdfSync } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';

const PURPOSE = 'reembed names';
const KEY_BYTES = 32;
const HASH_CHARS = 32;

/** Turns a text into a stable name that reveals nothing about it without the keys. */
export type Hide = (text: string) => string;

/** A codec that can also hide names that Temporal needs unencrypted, such as lane ids and fairness keys. */
export type HidingCodec = PayloadCodec & { readonly hide: Hide };

/**
 * Returns a `Hide` with a key derived from the one whose id sorts first, so that adding a newer key, or putting it
 * first for encryption, changes no name.
 */
export function hideWith(ring: ReadonlyMap<string, Buffer>): Hide {
  const [first] = [...ring].sort(([left], [right]) => (left < right ? -1 : 1));
  const key = Buffer.from(hkdfSync('sha256', first?.[1] ?? '', '', PURPOSE, KEY_BYTES));
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, HASH_CHARS);
}

/** Returns how a client hides such names; without encryption they stay as they are. */
export function hideOf(client: Client): Hide {
  const codecs: PayloadCodec[] = client.options.loadedDataConverter.payloadCodecs;
  return codecs.find(isHiding)?.hide ?? ((text) => text);
}

function isHiding(codec: PayloadCodec): codec is HidingCodec {
  return typeof (codec as Partial<HidingCodec>).hide === 'function';
}
