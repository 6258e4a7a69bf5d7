import { renderMermaidSVG } from 'beautiful-mermaid';
import type { MarkdownRenderer } from 'vitepress';

/** Draws blocks of Mermaid when the site is built: no script for it is sent to readers, and nothing is asked for. */
export function drawDiagrams(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, at, ...rest) => {
    const token = tokens[at];
    if (token?.info.trim() !== 'mermaid') return fence?.(tokens, at, ...rest) ?? '';
    return `<figure class="diagram" v-pre>${inlineSvg(token.content)}</figure>\n`;
  };
}

/** With the colours of the page, light or dark; its style sheet names a font of another site, and is taken out. */
function inlineSvg(source: string): string {
  const colours = { bg: 'var(--vp-c-bg)', fg: 'var(--vp-c-text-1)', muted: 'var(--vp-c-text-2)' };
  const svg = renderMermaidSVG(source, { ...colours, accent: 'var(--vp-c-brand-1)', transparent: true });
  const [sheet = ''] = /<style>[\s\S]*?<\/style>/.exec(svg) ?? [];
  const derived = sheet.match(/--_[\w-]+:[^;]+;/g) ?? [];
  const own = `max-width:100%;height:auto;font-family:var(--vp-font-family-base);${derived.join('')}`;
  return svg.replace(sheet, '').replace('style="', `style="${own}`);
}
