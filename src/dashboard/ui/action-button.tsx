import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Role } from '../../contract/roles.ts';
import { useAccess } from '../api/access.ts';

interface ActionButtonProps extends ButtonProps {
  children: ReactNode;
  onClick: () => void;
  /** Which role may do it. */
  needs?: Role;
  /** Why it cannot be done now, if it cannot. */
  unless?: string | null;
}

/** A button that, where it may not be pressed, says why. It keeps its place in the tab order, so that this can be read. */
export function ActionButton({ needs = 'operate', unless = null, children, onClick, ...props }: ActionButtonProps) {
  const reason = useAccess().reasonNot(needs) ?? unless;
  const button = (
    <Button
      variant="default"
      {...props}
      data-disabled={reason !== null || undefined}
      aria-disabled={reason !== null || undefined}
      aria-description={reason ?? undefined}
      onClick={reason === null ? onClick : (event) => event.preventDefault()}
    >
      {children}
    </Button>
  );
  return reason === null ? button : <Tooltip label={reason}>{button}</Tooltip>;
}
