import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, redirect } from '@tanstack/react-router';
import { ApiRefusal } from './api/call.js';
import { signedIn, type RunFilters } from './api/queries.js';
import { Shell } from './common/shell.js';
import { Failure, NothingHere, Pending } from './common/states.js';
import { GroupPage } from './groups/group-page.js';
import { RolloutPage } from './rollouts/rollout-page.js';
import { RunPage } from './runs/run-page.js';
import { RunsPage } from './runs/runs-page.js';
import { StepPage } from './runs/step-page.js';
import { SignInPage } from './session/sign-in-page.js';

interface Context {
  queries: QueryClient;
}

const root = createRootRouteWithContext<Context>()({ notFoundComponent: NothingHere });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: ({ to }: { to?: unknown }) => ({ to: isOwnPath(to) ? to : undefined }),
  component: SignInPage,
});

/** Everything that shows data: whoever is not signed in signs in first, and comes back. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.ensureQueryData(signedIn);
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 401)
        throw redirect({ to: '/sign-in', search: { to: location.href } });
      throw error;
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/runs' });
  },
});

const runsRoute = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  validateSearch: (search): RunFilters => {
    const texts = ['status', 'name', 'model', 'dataset'].flatMap((name) =>
      typeof search[name] === 'string' && search[name] !== '' ? [[name, search[name]] as const] : [],
    );
    return Object.fromEntries(texts);
  },
  component: RunsPage,
});

const runRoute = createRoute({ getParentRoute: () => shell, path: '/runs/$runId', component: RunPage });
const stepRoute = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$runId/steps/$step',
  component: StepPage,
});
const groupRoute = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$runId/steps/$step/groups/$group',
  component: GroupPage,
});
const rolloutRoute = createRoute({
  getParentRoute: () => shell,
  path: '/rollouts/$rolloutId',
  component: RolloutPage,
});

const tree = root.addChildren([
  signIn,
  shell.addChildren([home, runsRoute, runRoute, stepRoute, groupRoute, rolloutRoute]),
]);

export function createDashboardRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultErrorComponent: ({ error }) => <Failure error={error} />,
    defaultPendingComponent: Pending,
    defaultNotFoundComponent: NothingHere,
    scrollRestoration: true,
  });
}

/** A path of this page, and not the address of another. */
function isOwnPath(to: unknown): to is string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to);
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createDashboardRouter>;
  }
}
