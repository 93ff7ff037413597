import { Alert, Button, Center, Loader, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiRefusal } from '../api/call.js';
import { AnchorLink } from './anchor-link.js';

export function Pending() {
  return (
    <Center p="xl" role="status" aria-label="Loading">
      <Loader />
    </Center>
  );
}

/** What went wrong, in the API's words, and what to do. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const title = error instanceof ApiRefusal && error.status === 404 ? 'It is not here' : 'This could not be shown';
  return (
    <Alert color="red" title={title} role="alert" m="md">
      <Text className="written">{message}</Text>
      {onRetry && (
        <Button variant="default" size="xs" mt="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** A list that holds nothing, and how something comes into it. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack align="center" p="xl" gap="xs">
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text c="dimmed">{children}</Text>
    </Stack>
  );
}

export function NothingHere() {
  return (
    <Empty title="There is no such page">
      <AnchorLink to="/runs">All training runs</AnchorLink>
    </Empty>
  );
}
