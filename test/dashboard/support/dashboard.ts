import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { RigOptions } from '../../support/rig.ts';
import { DASHBOARD_VARIABLE } from '../../support/setup/variables.ts';
import { type System, startSystem } from '../../support/system.ts';
import { openBrowser } from './chromium.ts';

/** The page may be slow on a machine with other work. */
export const PATIENCE_MS = 90_000;

export interface Dashboard {
  system: System;
  /** A page in a new browser profile. */
  open(address: string, options?: OpenOptions): Promise<Page>;
  close(): Promise<void>;
}

export interface OpenOptions {
  scheme?: 'light' | 'dark';
  size?: { width: number; height: number };
  /** Address of the API; default: that of the system. */
  url?: string;
  /** Expected messages of the browser's console. */
  complaints?: RegExp;
}

/** The built dashboard, served by a real API with real servers, in a real browser; undefined without a browser. */
export async function openDashboard(
  options: Pick<RigOptions, 'embedder' | 'jobs'> = {},
): Promise<Dashboard | undefined> {
  const opened = await openBrowser();
  if (!opened) return undefined;
  const dashboard = process.env[DASHBOARD_VARIABLE];
  if (dashboard === undefined) throw new Error('this project of the tests has no dashboard: see test/support/setup');
  const system = await startSystem({ ...options, api: { dashboard } });
  const complaints: string[] = [];
  return {
    system,
    open: (address, page = {}) => openPage(opened.browser, system.url + address, page, complaints),
    async close() {
      await opened.close();
      await system.stop();
      // A policy violation, a component that throws, a missing file.
      expect(complaints).toEqual([]);
    },
  };
}

async function openPage(
  browser: Browser,
  address: string,
  { scheme = 'light', size = { width: 1280, height: 900 }, url, complaints: expected = /^$/ }: OpenOptions,
  complaints: string[],
): Promise<Page> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: size, reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complain = (text: string) => void (expected.test(text) || complaints.push(text));
  page.on('console', (message) => message.type() === 'error' && complain(message.text()));
  page.on('pageerror', (error) => complain(error.message));
  await page.goto(url === undefined ? address : url + new URL(address).pathname);
  return page;
}

/** The status that a task's page shows, once it is this one. */
export async function statusBecomes(page: Page, status: string): Promise<void> {
  await page.getByTestId('status').getByText(status, { exact: true }).waitFor();
}

/** Waits for a state of the page, and reports the last state on failure. */
export function soon<T>(read: () => Promise<T> | T) {
  return expect.poll(read, { timeout: PATIENCE_MS, interval: 100 });
}
