import { Group, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { ALL_AUDIT_KINDS, type AuditKind, type SourceKind } from '../../contract/audit.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { number, plural } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';
import { AuditDialog } from './audit-dialog.tsx';

interface FindingsProps {
  tracker: Tracker;
  ended: boolean;
}

/** What an audit has found, by kind, with what each means; and the repair of it. */
export function Findings({ tracker: { data, progress }, ended }: FindingsProps) {
  const [repairing, setRepairing] = useState(false);
  const { index, source, broken, repaired } = data;
  const looked = typeof source === 'string' ? { source } : { index: String(index) };
  if (typeof index !== 'string' || typeof broken !== 'number') return null;
  const found = Object.entries((data.found ?? {}) as Partial<Record<AuditKind, number>>);
  const left = broken - Number(repaired ?? 0);
  return (
    <Card
      title="Findings"
      actions={
        ended &&
        left > 0 && (
          <ActionButton variant="filled" onClick={() => setRepairing(true)}>
            Repair…
          </ActionButton>
        )
      }
    >
      <Stack gap="sm">
        <Group gap="xs" fz="sm">
          <IndexLink name={index} />
          <span>
            {plural(progress.done, 'object')} looked at,{' '}
            {broken === 0 ? 'nothing is broken' : `${number(broken)} broken`}
            {Number(repaired ?? 0) > 0 && `, ${number(Number(repaired))} repaired`}
            {broken > 0 && `, ${number(left)} left`}.
          </span>
        </Group>
        {found.length > 0 && (
          <Table layout="fixed" aria-label="Findings by kind">
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={90} ta="right">
                  Objects
                </Table.Th>
                <Table.Th>What is broken</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.map(([kind, objects]) => (
                <Table.Tr key={kind}>
                  <Table.Td ta="right" fw={600}>
                    {number(objects ?? 0)}
                  </Table.Td>
                  <Table.Td className="wrap">
                    <Text fz="sm" fw={500}>
                      {kind}
                    </Text>
                    <Text fz="xs" c="dimmed">
                      {ALL_AUDIT_KINDS[kind as AuditKind | SourceKind]?.detail}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
      {repairing && <AuditDialog given={{ ...looked, repair: true }} onClose={() => setRepairing(false)} />}
    </Card>
  );
}
