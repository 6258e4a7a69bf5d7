import path from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

/**
 * Links that lead out of docs are right in a checkout. On the site those to examples lead to its page of them; what others
 * name it does not have, so they are names alone.
 */
export function linkOutside(md: MarkdownRenderer): void {
  md.core.ruler.push('outside', ({ tokens, env }) => {
    const folder = path.posix.dirname(env.relativePath ?? '');
    for (const { children } of tokens) {
      let isName = false;
      for (const token of children ?? []) {
        const href = token.type === 'link_open' ? (token.attrGet('href') ?? '') : '';
        const target = path.posix.join(folder, href);
        const [, example] = /^\.\.\/examples\/?([\w-]*)$/.exec(target) ?? [];
        if (example !== undefined) token.attrSet('href', `/reference/examples.html${example && `#${example}`}`);
        else if (target.startsWith('../')) isName = true;
        if (isName && /^link_/.test(token.type)) Object.assign(token, { tag: 'span', attrs: null });
        if (token.type === 'link_close') isName = false;
      }
    }
  });
}
