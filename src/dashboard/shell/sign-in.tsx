import { Button, Center, Group, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { signIn } from '../api/session.ts';
import { Logo } from './logo.tsx';

/** Asks for the token, which is kept only in this tab. */
export function SignIn({ reason }: { reason: string }) {
  const [token, setToken] = useState('');
  return (
    <Center component="main" mih="100vh" p="md">
      <title>Sign in · reembed</title>
      <Paper withBorder p="xl" w="100%" maw={400}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (token.trim()) signIn(token.trim());
          }}
        >
          <Stack gap="md">
            <Group gap="sm">
              <Logo size={28} />
              <Title order={1}>reembed</Title>
            </Group>
            <Text fz="sm" role="status">
              {reason}
            </Text>
            <PasswordInput
              label="API token"
              description="One of REEMBED_API_TOKENS. It is kept only until this tab is closed."
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              autoComplete="off"
              visibilityToggleButtonProps={{ 'aria-label': 'Show the token' }}
              data-autofocus
            />
            <Button type="submit" size="sm">
              Sign in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
