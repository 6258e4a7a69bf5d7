import { type EncryptionKey, encryptionKeyOf, KEY_FORM, keyRing } from '../temporal/encryption/keys.ts';
import { readSetting } from './read.ts';
import { readSecretLines } from './secret-file.ts';
import { SETTINGS } from './table.ts';

/**
 * Reads the keys of REEMBED_ENCRYPTION_KEYS, then of REEMBED_ENCRYPTION_KEYS_FILE; none if payloads are not encrypted.
 * @throws ReembedError `InvalidSetting`
 */
export function readEncryptionKeys(env: NodeJS.ProcessEnv): EncryptionKey[] {
  const file = readSetting('encryptionKeysFile', env);
  const { variable } = SETTINGS.encryptionKeysFile;
  const inFile = file === null ? [] : readSecretLines(variable, file, { parse: encryptionKeyOf, expected: KEY_FORM });
  const keys = [...readSetting('encryptionKeys', env), ...inFile];
  keyRing(keys);
  return keys;
}
