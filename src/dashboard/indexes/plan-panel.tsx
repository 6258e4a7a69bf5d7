import { Alert, Stack, Table, Text } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { ReindexPlan } from '../../contract/plan.ts';
import { graphText, indexBuildText, type PlanRow, planRowsOf } from '../../contract/plan-rows.ts';
import { bytes, duration, number } from '../ui/format.ts';

const FORMATS: Record<PlanRow['unit'], (value: number) => string> = {
  count: number,
  usd: (value) => (value > 0 && value < 0.01 ? '< $0.01' : `$${value.toFixed(2)}`),
  seconds: duration,
  bytes,
};

/** What a reindex would do and cost. */
export function PlanPanel({ plan }: { plan: ReindexPlan }) {
  const panel = useRef<HTMLDivElement>(null);
  // It appears below the form, which may fill the screen.
  useEffect(() => panel.current?.scrollIntoView({ block: 'nearest' }), []);
  const notes = [graphText(plan), indexBuildText(plan), ...plan.warnings].filter((note) => note !== null);
  return (
    <Stack gap="xs" ref={panel}>
      {plan.obstacles.length > 0 && (
        <Alert variant="outline" color="orange" title="In the way" className="wrap">
          {plan.obstacles.map(({ reason, effect, detail }) => (
            <Text key={`${reason} ${detail}`} fz="sm">
              {detail} ({effect})
            </Text>
          ))}
        </Alert>
      )}
      <Table aria-label="Plan">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Forecast</Table.Th>
            <Table.Th ta="right">Value</Table.Th>
            <Table.Th>Basis</Table.Th>
            <Table.Th visibleFrom="sm">From</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {planRowsOf(plan).map((row) => (
            <FigureRow key={row.name} row={row} />
          ))}
        </Table.Tbody>
      </Table>
      {notes.map((note) => (
        <Text key={note} fz="xs" c="dimmed">
          {note}
        </Text>
      ))}
    </Stack>
  );
}

function FigureRow({ row }: { row: PlanRow }) {
  const { value, basis, from } = row.figure;
  return (
    <Table.Tr>
      <Table.Td pl={row.isPart ? 'lg' : undefined}>{row.name}</Table.Td>
      <Table.Td ta="right" className="nowrap">
        {value === null ? 'unknown' : FORMATS[row.unit](value)}
      </Table.Td>
      <Table.Td>{basis}</Table.Td>
      <Table.Td visibleFrom="sm" c="dimmed" fz="xs" className="wrap">
        {from}
      </Table.Td>
    </Table.Tr>
  );
}
