import '@mantine/core/styles.css';
import './style.css';
import { MantineProvider, createTheme } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiRefusal } from './api/call.js';
import { signedIn } from './api/queries.js';
import { createDashboardRouter } from './router.js';

const theme = createTheme({ primaryColor: 'indigo', primaryShade: { light: 8, dark: 8 }, respectReducedMotion: true });
const queries = new QueryClient({
  // A session that has ended is noticed by whatever is asked next.
  queryCache: new QueryCache({ onError: (error) => void (isSignedOut(error) && signOut()) }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) =>
        failures < 3 && (!(error instanceof ApiRefusal) || error.status === 0 || error.status >= 500),
    },
  },
});
const router = createDashboardRouter(queries);

function isSignedOut(error: unknown): boolean {
  return error instanceof ApiRefusal && error.status === 401;
}

function signOut(): void {
  queries.removeQueries({ queryKey: signedIn.queryKey });
  if (router.state.location.pathname === '/sign-in') return;
  void router.navigate({ to: '/sign-in', search: { to: router.state.location.href } });
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
