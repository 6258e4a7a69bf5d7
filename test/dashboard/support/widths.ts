import type { Page } from 'playwright-core';

const WIDTHS = [390, 768, 1024, 1440];
/** In px, with the padding of a cell: a number of some digits, or a short word. */
const MIN_COLUMN = 56;

/** For the page: the text of each visible cell that is too narrow. */
const NARROW_CELLS = `[...document.querySelectorAll('td, th')]
  .filter((cell) => cell.offsetParent !== null && cell.offsetWidth < ${MIN_COLUMN})
  .map((cell) => cell.textContent + ' (' + cell.offsetWidth + ' px)')`;

/** What does not fit at usual widths of a screen: pages that scroll sideways, and columns too narrow to read. */
export async function misfits(page: Page): Promise<string[]> {
  const before = page.viewportSize() ?? { width: 1280, height: 900 };
  const found: string[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ ...before, width });
    const scrolled = await page.evaluate<number>('document.documentElement.scrollWidth');
    if (scrolled > width) found.push(`at ${width} px, the page is ${scrolled} px wide`);
    const narrow = await page.evaluate<string[]>(NARROW_CELLS);
    found.push(...narrow.map((cell) => `at ${width} px: ${cell}`));
  }
  await page.setViewportSize(before);
  return found;
}
