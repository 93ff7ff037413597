import { Alert, Button, Center, Code, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useState, type FormEvent } from 'react';
import { request } from '../api/call.js';
import { signedIn, type SignedIn } from '../api/queries.js';

/** Takes a key, or the link that `agentflow dashboard` prints. The key is sent once, and kept by nobody. */
export function SignInPage() {
  const { to } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [key, setKey] = useState('');
  const signIn = useMutation({
    mutationFn: async (bearer: string) => (await request('POST', '/session', { bearer })) as SignedIn,
    onSuccess: async (session) => {
      queries.setQueryData(signedIn.queryKey, session);
      await navigate({ href: to ?? '/runs', replace: true });
    },
  });
  useLink((link) => signIn.mutate(link));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate(key.trim());
  };
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="lg" maw={440} w="100%">
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h3">
              Durable AgentFlow
            </Title>
            <PasswordInput
              label="API key"
              description="The local stack keeps its key in api.json in its data directory."
              value={key}
              onChange={({ currentTarget }) => setKey(currentTarget.value)}
              autoComplete="current-password"
              required
              data-autofocus
            />
            {signIn.error && (
              <Alert color="red" role="alert">
                {signIn.error.message}
              </Alert>
            )}
            <Button type="submit" loading={signIn.isPending}>
              Sign in
            </Button>
            <Text size="sm" c="dimmed">
              Or open the link that <Code>npx agentflow dashboard</Code> prints.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

/** A link's token stands behind the #, works once, and goes from the address at once. */
function useLink(signIn: (token: string) => void): void {
  const signInWith = useEffectEvent(signIn);
  useEffect(() => {
    const read = (): void => {
      const token = window.location.hash.slice(1);
      if (token === '') return;
      window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
      signInWith(token);
    };
    read();
    // A link that is opened where this page is open already loads nothing anew.
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }, []);
}
