import { ExternalLinkIcon } from '@radix-ui/react-icons';

/** A link to another page than those of the dashboard, in a tab of its own. */
export function Outward({ href, children, className }: { href: string; children: string; className?: string }) {
  return (
    <a href={href} target="_blank" rel="noreferrer" className={className ?? 'outward'}>
      {children} <ExternalLinkIcon aria-hidden width={12} height={12} className="outward-icon" />
    </a>
  );
}
