import { Box, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import type { Json } from '../../contract/json.ts';
import { Copy } from './copy.tsx';
import { plural } from './format.ts';
import { jsonText } from './json.ts';

/** Characters that are shown at first: a browser is slow with lines of megabytes. */
const FIRST = 20_000;

interface ViewerProps {
  /** Shown as text: a text as it is, anything else as JSON. */
  value: Json;
  /** Names it for the copy button and screen readers. */
  what: string;
}

/** A whole value, however long, which scrolls and can be copied. */
export function Viewer({ value, what }: ViewerProps) {
  const [whole, setWhole] = useState(false);
  const text = typeof value === 'string' ? value : jsonText(value);
  const isCut = !whole && text.length > FIRST;
  return (
    <>
      <Group gap="xs" mb={4}>
        <Text fz="xs" c="dimmed">
          {plural(text.length, 'character')}
        </Text>
        <Copy text={text} what={what} />
      </Group>
      <Box
        component="section"
        className="viewer"
        tabIndex={0}
        aria-label={what}
        dir="auto"
        data-json={typeof value !== 'string' || undefined}
      >
        {isCut ? text.slice(0, FIRST) : text}
      </Box>
      {isCut && (
        <Button variant="default" mt="xs" onClick={() => setWhole(true)}>
          Show the other {plural(text.length - FIRST, 'character')}
        </Button>
      )}
    </>
  );
}
