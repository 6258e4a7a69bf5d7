import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { healthProblems, isSilent } from '../../contract/health.ts';
import { useAccess } from '../api/access.ts';
import { noteSilence, useLostSince } from '../api/connection.ts';
import { healthQuery, serverQuery } from '../api/queries.ts';
import { useSession } from '../api/session.ts';
import { Outward } from '../ui/outward.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { HealthBanner } from './health-banner.tsx';
import { SignOut } from './sign-out.tsx';

/** The parts of the frame that call the API. */

/** What is wrong with the servers, on top of every page: the API alone while it does not answer. */
export function Banners() {
  const lostSince = useLostSince();
  const { data } = useQuery(healthQuery);
  const silent = data !== undefined && isSilent(data);
  useEffect(() => noteSilence(silent), [silent]);
  if (lostSince !== null) return <ConnectionBanner lostSince={lostSince} />;
  return data ? <HealthBanner problems={healthProblems(data)} /> : null;
}

/** The name and role of the token, if tokens are required. */
export function Who() {
  const { token } = useSession();
  const { name, role, isKnown } = useAccess();
  if (token === null) return null;
  return (
    <>
      <Text fz="xs" c="dimmed" truncate maw={220}>
        {isKnown && (name === null ? role : `${name} (${role})`)}
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
        <Outward className="nav-link" href={data.temporal.uiUrl}>
          Temporal UI
        </Outward>
      )}
      <Outward className="nav-link" href="/docs">
        API reference
      </Outward>
      <Text fz="xs" c="dimmed" px={10} py={4}>
        {data ? `version ${data.version}` : ' '}
      </Text>
    </Stack>
  );
}
