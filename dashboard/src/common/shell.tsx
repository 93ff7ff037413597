import { Anchor, AppShell, Badge, Button, Group, Text, useMantineColorScheme, VisuallyHidden } from '@mantine/core';
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { request } from '../api/call.js';
import { signedIn } from '../api/queries.js';
import { AnchorLink } from './anchor-link.js';

/** What is around every page: where one is, who one is, and the way out. */
export function Shell() {
  const { data: session } = useSuspenseQuery(signedIn);
  return (
    <AppShell header={{ height: 52 }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="md" wrap="nowrap">
            <AnchorLink to="/runs" fw={700}>
              AgentFlow
            </AnchorLink>
            <Anchor href="/docs" visibleFrom="sm">
              API
            </Anchor>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Badge variant="default" tt="none" title={`Signed in with ${session.key.id}`}>
              <VisuallyHidden>Project </VisuallyHidden>
              {session.project}
            </Badge>
            <Theme />
            <SignOut />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function Theme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = { auto: 'dark', dark: 'light', light: 'auto' } as const;
  return (
    <Button variant="subtle" size="compact-sm" onClick={() => setColorScheme(next[colorScheme])}>
      <Text size="sm">Theme: {colorScheme}</Text>
    </Button>
  );
}

function SignOut() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { mutate, isPending } = useMutation({
    mutationFn: () => request('DELETE', '/session'),
    onSuccess: async () => {
      queries.clear();
      await navigate({ to: '/sign-in', search: { to: undefined } });
    },
  });
  return (
    <Button variant="subtle" size="compact-sm" loading={isPending} onClick={() => mutate()}>
      Sign out
    </Button>
  );
}
