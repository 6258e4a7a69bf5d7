import { Alert, Button, Center, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { ERROR_KINDS, messageOf, ReembedError } from '../../contract/errors.ts';

/** Placeholder until the first response. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap={10} p="md" aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
        <Skeleton key={row} height={16} radius="sm" />
      ))}
    </Stack>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ title, children, action }: EmptyProps) {
  return (
    <Center p="xl">
      <Stack align="center" gap="xs" maw={460} ta="center">
        <Title order={2} size="h2">
          {title}
        </Title>
        <Text c="dimmed" fz="sm" component="div">
          {children}
        </Text>
        {action}
      </Stack>
    </Center>
  );
}

/** Returns an error's title; here, the unavailable server is the API. */
function titleOf({ type }: ReembedError): string {
  return type === 'ServerUnavailable' ? 'The API does not answer' : ERROR_KINDS[type].title;
}

/** Shows the API's error message, with the invalid fields. */
export function Problem({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const known = error instanceof ReembedError ? error : undefined;
  return (
    <Alert
      variant="outline"
      color="red"
      role="alert"
      title={title ?? (known ? titleOf(known) : 'Something went wrong')}
      className="wrap"
    >
      <Stack gap={6} align="flex-start">
        <Text fz="sm">{messageOf(error)}</Text>
        {(known?.issues.length ?? 0) > 1 && (
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {known?.issues.map(({ path, message }) => (
              <li key={`${path} ${message}`}>
                <code>{path}</code>: {message}
              </li>
            ))}
          </ul>
        )}
        {retry && (
          <Button variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
