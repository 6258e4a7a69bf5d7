import { existsSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { EncryptionKey } from '../temporal/encryption/keys.ts';
import { readEncryptionKeys } from './encryption-keys.ts';
import { given } from './read.ts';

/** How to reach the Temporal server. */
export interface TemporalSettings {
  /** For `NativeConnection.connect`; `Connection.lazy` takes the same. */
  connection: NativeConnectionOptions;
  /** `host:port`, for messages. */
  address: string;
  namespace: string;
  /** Keys for payload encryption; empty if payloads are not encrypted. */
  encryptionKeys: readonly EncryptionKey[];
  /** Whether no address is configured, neither by a variable nor in a configuration file. */
  isDefault: boolean;
  /** Whether TEMPORAL_ADDRESS is set, so that `dev` does not start a server. */
  addressGiven: boolean;
}

/** The default address of Temporal's own programs. */
const DEFAULT_ADDRESS = 'localhost:7233';

/**
 * Reads `TEMPORAL_*`, Temporal's configuration file, and the encryption keys for payloads.
 * @throws ReembedError `InvalidSetting`
 */
export function readTemporalSettings(env: NodeJS.ProcessEnv): TemporalSettings {
  const written = Object.fromEntries(
    Object.keys(env).flatMap((name) => {
      const value = given(env, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const file = written.TEMPORAL_CONFIG_FILE;
  if (file !== undefined && !existsSync(file)) {
    throw new ReembedError(
      'InvalidSetting',
      `TEMPORAL_CONFIG_FILE is ${JSON.stringify(file)}, but there is no such file`,
    );
  }
  let config: ReturnType<typeof loadClientConnectConfig>;
  try {
    config = loadClientConnectConfig({ overrideEnvVars: written });
  } catch (error) {
    throw new ReembedError(
      'InvalidSetting',
      `the TEMPORAL_* variables or Temporal's configuration file: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const address = config.connectionOptions.address ?? DEFAULT_ADDRESS;
  if (!/^(\[[\da-f:]+\]|[\w.-]+)(:\d{1,5})?$/i.test(address)) {
    throw new ReembedError('InvalidSetting', `TEMPORAL_ADDRESS is ${JSON.stringify(address)}, but must be host:port`);
  }
  const defined = Object.fromEntries(
    Object.entries(config.connectionOptions).filter(([, value]) => value !== undefined),
  );
  return {
    connection: { ...defined, address },
    address,
    namespace: config.namespace ?? 'default',
    encryptionKeys: readEncryptionKeys(env),
    isDefault: config.connectionOptions.address === undefined,
    addressGiven: written.TEMPORAL_ADDRESS !== undefined,
  };
}
