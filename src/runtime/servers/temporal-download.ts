import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../contract/errors.ts';
import { fileOfTarGz } from './archives.ts';
import type { ServerSource } from './wheels.ts';

/** The place from which the Temporal SDKs fetch their servers. */
export const TEMPORAL_DOWNLOAD = 'https://temporal.download';

/** Where the network is closed this must be known at once; the answer is a few hundred bytes. */
const ANSWER_TIMEOUT_MS = 4_000;
const DOWNLOAD_TIMEOUT_MS = 600_000;

/**
 * Fetches an executable the way the Temporal SDK does: ask for the archive of the version, take one file of it. The
 * SDK itself can only fetch while starting a server and waits without limit, so the two requests are made here.
 * `announce` gets the size once it is known. @throws Error with one line that tells why.
 */
export async function downloadFromTemporal(
  source: ServerSource,
  base: string,
  platform: string,
  target: string,
  announce: (bytes: number | null) => void,
): Promise<void> {
  const [system = '', arch = ''] = platform.split('-');
  const query = new URLSearchParams({ platform: system, arch: arch === 'x64' ? 'amd64' : arch, format: 'tar.gz' });
  const question = `${base}/${source.download}/v${source.wheel.version}?${query}`;
  try {
    const info = (await (await get(question, ANSWER_TIMEOUT_MS)).json()) as {
      archiveUrl: string;
      fileToExtract: string;
    };
    const archive = await get(info.archiveUrl, DOWNLOAD_TIMEOUT_MS);
    announce(Number(archive.headers.get('content-length')) || null);
    const executable = await fileOfTarGz(Buffer.from(await archive.arrayBuffer()), info.fileToExtract);
    await mkdir(target, { recursive: true });
    const file = path.join(target, source.result);
    await writeFile(file, executable);
    await chmod(file, 0o755);
  } catch (error) {
    // The reason of a failed fetch (no such host, refused, …) is in its cause.
    const reason = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    throw new Error(reason.split('\n')[0], { cause: error });
  }
}

async function get(url: string, timeoutMs: number): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`${new URL(url).host} answers ${response.status}`);
  return response;
}
