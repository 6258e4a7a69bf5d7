import { Stack, Text } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import type { Doctor } from '../../client/client.ts';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';

/** What the doctor finds, which changes slowly and costs some queries. */
const doctorQuery = queryOptions({
  queryKey: ['doctor'],
  queryFn: () => reembed.doctor(),
  refetchInterval: 60_000,
  retry: false,
});

/** Returns what the doctor finds; undefined until it is known, and for a token that may not ask. */
export function useDoctor(): Doctor | undefined {
  const mayAsk = useAccess().reasonNot('operate') === null;
  return useQuery({ ...doctorQuery, enabled: mayAsk }).data;
}

type Finding = Doctor['findings'][number];

/** What is wrong with the servers and settings, or will hurt, and what to do; nothing if nothing is. */
export function Findings() {
  const doctor = useDoctor();
  if (!doctor || doctor.findings.length === 0) return null;
  return (
    <Card title="Found by the doctor">
      <Stack component="ul" gap="md" m={0} p={0} style={{ listStyle: 'none' }}>
        {doctor.findings.map((finding) => (
          <li key={finding.check} data-check={finding.check}>
            <OneFinding finding={finding} />
          </li>
        ))}
      </Stack>
    </Card>
  );
}

/** Details that are shown. */
const SHOWN = 5;

function OneFinding({ finding: { check, severity, means, todo, count, details } }: { finding: Finding }) {
  const shown = details.slice(0, SHOWN);
  return (
    <>
      <Text fz="sm" fw={600} component="div">
        <span
          aria-hidden
          className="phase-dot"
          style={{ color: `var(--mantine-color-${severity === 'error' ? 'red-7' : 'yellow-6'})` }}
        />
        {severity}: {check}
      </Text>
      {shown.map((detail) => (
        <Text key={detail} fz="xs" className="wrap">
          {detail}
        </Text>
      ))}
      {count > shown.length && (
        <Text fz="xs" c="dimmed">
          and {number(count - shown.length)} more
        </Text>
      )}
      <Text fz="sm" className="wrap">
        <Written text={`${means} ${todo}`} />
      </Text>
    </>
  );
}

/** A text of the contract, whose code and links are written as in the docs. */
function Written({ text }: { text: string }) {
  return text
    .replace(/\[([^\]]{1,100})\]\([^)]{1,200}\)/g, '$1')
    .split('`')
    .map((part, at) => (at % 2 === 1 ? <code key={part}>{part}</code> : <Fragment key={part}>{part}</Fragment>));
}
