import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useAccess } from '../api/access.ts';
import { serverQuery } from '../api/queries.ts';
import { useSession } from '../api/session.ts';
import { ConnectionBanner } from './connection-banner.tsx';
import { SignOut } from './sign-out.tsx';

/** The parts of the frame that call the API. */

export function Banners() {
  return <ConnectionBanner />;
}

/** The name and role of the token, if tokens are required. */
export function Who() {
  const { token } = useSession();
  const { name, role } = useAccess();
  if (token === null) return null;
  return (
    <>
      <Text fz="xs" c="dimmed" truncate maw={220}>
        {name === null ? role : `${name} (${role})`}
      </Text>
      <SignOut />
    </>
  );
}

export function Elsewhere() {
  const { data } = useQuery(serverQuery);
  return (
    <Stack gap={2}>
      {data?.temporal.uiUrl && (
        <a className="nav-link" href={data.temporal.uiUrl} target="_blank" rel="noreferrer">
          Temporal UI ↗
        </a>
      )}
      <a className="nav-link" href="/docs" target="_blank" rel="noreferrer">
        API reference ↗
      </a>
      <Text fz="xs" c="dimmed" px={10} py={4}>
        {data ? `version ${data.version}` : ' '}
      </Text>
    </Stack>
  );
}
