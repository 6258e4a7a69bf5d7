import { Button, Group, Text } from '@mantine/core';
import { number } from '../ui/format.ts';

interface PagerProps {
  page: number;
  perPage: number;
  shown: number;
  total: number;
  /** Whether the shown data is current. */
  connected: boolean;
  onNewer: (() => void) | undefined;
  onOlder: (() => void) | undefined;
}

export function Pager({ page, perPage, shown, total, connected, onNewer, onOlder }: PagerProps) {
  const first = (page - 1) * perPage + 1;
  return (
    <Group justify="space-between" px="md" py="sm" gap="xs">
      <Text fz="xs" c="dimmed" role="status">
        {shown === 0 ? 'none' : `${number(first)} to ${number(first + shown - 1)} of ${number(total)}`}
        {connected ? '' : ' · as of the last update'}
      </Text>
      {(onNewer || onOlder) && (
        <Group gap="xs">
          <Button variant="default" disabled={!onNewer} onClick={onNewer}>
            Newer
          </Button>
          <Button variant="default" disabled={!onOlder} onClick={onOlder}>
            Older
          </Button>
        </Group>
      )}
    </Group>
  );
}
