import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Serious findings of axe, with their places. */
export async function violations(page: Page): Promise<string[]> {
  // Run as a string: the policy of the page allows no script by an element.
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate<{
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  }>("axe.run(document, { resultTypes: ['violations'] })");
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 300)} ${failureSummary}`),
    );
}

/** Findings of axe in light colors and in dark ones; leaves the page in light ones. */
export async function bothViolations(page: Page): Promise<string[]> {
  const light = await violations(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('[data-mantine-color-scheme=dark]').waitFor();
  const dark = await violations(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.locator('[data-mantine-color-scheme=light]').waitFor();
  return [...light, ...dark];
}
