import { Box, Group, Paper, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { WithArrows } from './arrow.tsx';

interface CardProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Without padding, for tables. */
  flush?: boolean;
}

export function Card({ title, actions, children, flush = false }: CardProps) {
  return (
    <Paper withBorder component="section" style={{ minWidth: 0 }}>
      {(title || actions) && (
        <Group justify="space-between" px="md" pt="sm" pb={flush ? 'sm' : 0} gap="xs">
          <Title order={2} size="h2">
            {title}
          </Title>
          {actions}
        </Group>
      )}
      <Box p={flush ? 0 : 'md'}>{children}</Box>
    </Paper>
  );
}

interface PageProps {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** The heading of a page and its actions. */
export function PageHead({ title, actions }: Omit<PageProps, 'children'>) {
  return (
    <Group justify="space-between" gap="sm" mb="md">
      <title>{`${title} · reembed`}</title>
      <Title order={1} className="wrap">
        <WithArrows text={title} />
      </Title>
      <Group gap="xs">{actions}</Group>
    </Group>
  );
}
