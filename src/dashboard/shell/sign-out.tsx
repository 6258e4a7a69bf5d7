import { ActionIcon, Tooltip } from '@mantine/core';
import { ExitIcon } from '@radix-ui/react-icons';
import { signOut } from '../api/session.ts';

export function SignOut() {
  return (
    <Tooltip label="Forget the token">
      <ActionIcon aria-label="Forget the token" onClick={signOut}>
        <ExitIcon />
      </ActionIcon>
    </Tooltip>
  );
}
