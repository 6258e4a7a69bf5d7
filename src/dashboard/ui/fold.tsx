import { Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';

interface FoldProps {
  title: string;
  /** What is set in it, in few words. */
  summary?: string;
  /** Whether it is unfolded at first. */
  isOpen?: boolean;
  children: ReactNode;
}

/** A part of a form that can be folded. */
export function Fold({ title, summary, isOpen = false, children }: FoldProps) {
  // The attribute is only set once: after that, the user decides.
  const [isOpenAtFirst] = useState(isOpen);
  return (
    <details className="fold" open={isOpenAtFirst}>
      <summary>
        {title}
        {summary && (
          <Text component="span" fz="xs" c="dimmed" ml={6}>
            {summary}
          </Text>
        )}
      </summary>
      <div className="fold-body">{children}</div>
    </details>
  );
}
