import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Role } from '../../contract/roles.ts';
import { useAccess } from '../api/access.ts';

interface ActionButtonProps extends ButtonProps {
  children: ReactNode;
  onClick: () => void;
  /** Role that the action needs. */
  needs?: Role;
  /** Why the action is not possible now; null if it is. */
  unless?: string | null;
}

/** A button that says why it is disabled. It stays in the tab order, so that the reason can be read. */
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
