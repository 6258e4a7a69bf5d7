import { type EncryptionKey, encryptionKeyOf, KEY_FORM, keyRing } from '../client/temporal/encryption/keys.ts';
import { readSetting } from './read-setting.ts';
import { readSecretLines } from './secret-lines.ts';
import { SETTINGS } from './settings-table.ts';

/**
 * The keys of REEMBED_ENCRYPTION_KEYS, then those of REEMBED_ENCRYPTION_KEYS_FILE; none when payloads are not encrypted.
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
