import './zod.ts';
import '@fontsource-variable/inter/wght.css';
import './mantine.css';
import '@mantine/notifications/styles.css';
import './style.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ReembedError } from '../contract/errors.ts';
import { loadPages, router } from './router.tsx';
import { cssVariables, theme } from './theme.ts';

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A bad request is not retried; an unavailable server is asked again at the next interval.
      retry: (failures, error) => failures < 1 && error instanceof ReembedError && error.status >= 500,
      refetchOnWindowFocus: true,
    },
  },
});

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-right" containerWidth={380} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

// After the first page: a slow connection is not shared with pages that nobody has asked for.
const idle = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 1_000));
router.subscribe('onRendered', () => idle(() => void loadPages()));
