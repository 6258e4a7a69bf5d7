import { Text } from '@mantine/core';
import type { Json } from '../../contract/json.ts';

interface PayloadProps {
  /** Missing if the token may not read it. */
  payload: Json | undefined;
  metadata: Record<string, Json> | undefined;
}

/** The payload of an object, always rendered as text. */
export function Payload({ payload, metadata = {} }: PayloadProps) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const tags = tagsOf(metadata);
  return (
    <>
      {payload === undefined || payload === null ? (
        <Text fz="sm" c="dimmed" fs="italic">
          not shown to this token
        </Text>
      ) : (
        <Text fz="sm" className="excerpt" dir="auto" title={text?.slice(0, 2_000)}>
          {text?.slice(0, 2_000)}
        </Text>
      )}
      {tags.length > 0 && (
        <Text fz="xs" c="dimmed" className="excerpt" dir="auto">
          {tags.join(' · ')}
        </Text>
      )}
    </>
  );
}

/** Formats metadata, one text for each field. */
export function tagsOf(metadata: Record<string, Json>): string[] {
  return Object.entries(metadata).map(([name, value]) => `${name}: ${textOf(value)}`);
}

function textOf(value: Json): string {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ').slice(0, 500);
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 500);
}
