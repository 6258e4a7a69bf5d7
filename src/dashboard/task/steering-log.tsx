import { Table } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { Moment } from '../ui/moment.tsx';

/** Who has steered the task, and how. */
export function SteeringLog({ tracker: { steering } }: { tracker: Tracker }) {
  return (
    <Card title="Steering log" flush>
      <Table layout="fixed" aria-label="Steering">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Call</Table.Th>
            <Table.Th>By</Table.Th>
            <Table.Th w={120} ta="right">
              When
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {steering.map(({ time, call, by, reason }) => (
            <Table.Tr key={`${time} ${call}`}>
              <Table.Td className="wrap">
                {call}
                {reason ? `: ${reason}` : ''}
              </Table.Td>
              <Table.Td className="wrap">{by ?? 'unknown'}</Table.Td>
              <Table.Td ta="right">
                <Moment at={time} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}
