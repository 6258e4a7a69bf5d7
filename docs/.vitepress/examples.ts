import type { MarkdownRenderer } from 'vitepress';

/** Links to a folder of examples/ or to the README, which are right in a checkout, lead to what the site has of them. */
export function linkExamples(md: MarkdownRenderer): void {
  md.core.ruler.push('examples', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      const [, folder] = /^\.\.\/examples\/?([\w-]*)$/.exec(href ?? '') ?? [];
      if (folder !== undefined) token.attrSet('href', `/reference/examples.html${folder && `#${folder}`}`);
    }
  });
}
