import { Button, Group, Progress, Select, Stack, Table, TextInput, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { runs, type Run, type RunFilters } from '../api/queries.js';
import { moment } from '../common/format.js';
import { Empty, Failure, Pending } from '../common/states.js';
import { Status } from '../common/status.js';
import { AnchorLink } from '../common/anchor-link.js';

const STATUSES: Run['status'][] = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'cancelled',
  'completed',
  'failed',
];

/** Every training run of the project, newest first. What is asked for stands in the address. */
export function RunsPage() {
  const filters = useSearch({ from: '/shell/runs' });
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runs(filters),
  );
  const rows = data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Stack>
      <Title order={1} size="h3">
        Training runs
      </Title>
      <Filters filters={filters} />
      {isPending && <Pending />}
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && rows.length === 0 && <NoRuns isFiltered={Object.keys(filters).length > 0} />}
      {rows.length > 0 && <RunsTable rows={rows} />}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Earlier runs
        </Button>
      )}
    </Stack>
  );
}

function Filters({ filters }: { filters: RunFilters }) {
  const navigate = useNavigate();
  const set = (change: Partial<RunFilters>): void => {
    const next = Object.entries({ ...filters, ...change }).filter(([, value]) => value);
    void navigate({ to: '/runs', search: Object.fromEntries(next) as RunFilters, replace: true });
  };
  return (
    <Group align="end">
      <TextInput
        label="Name"
        placeholder="a part of it"
        defaultValue={filters.name ?? ''}
        onChange={({ currentTarget }) => set({ name: currentTarget.value })}
      />
      <Select
        label="Status"
        data={STATUSES}
        value={filters.status ?? null}
        onChange={(status) => set({ status: (status ?? undefined) as Run['status'] | undefined })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any status' }}
      />
    </Group>
  );
}

function NoRuns({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No run is like that">Change what is asked for above.</Empty>;
  return (
    <Empty title="There is no training run yet">
      Submit one: <code>npx agentflow train examples/quickstart.yaml</code>
    </Empty>
  );
}

function RunsTable({ rows }: { rows: Run[] }) {
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table highlightOnHover verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Steps</Table.Th>
            <Table.Th>Model</Table.Th>
            <Table.Th>Created</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((run) => (
            <Table.Tr key={run.id}>
              <Table.Td>
                <AnchorLink to="/runs/$runId" params={{ runId: run.id }}>
                  {run.name}
                </AnchorLink>
                <br />
                <small>{run.id}</small>
              </Table.Td>
              <Table.Td>
                <Status status={run.status} />
              </Table.Td>
              <Table.Td className="number">
                {run.step} of {run.steps}
                <Progress value={(100 * run.step) / run.steps} size="xs" mt={4} aria-label={`Steps of ${run.name}`} />
              </Table.Td>
              <Table.Td>{run.model}</Table.Td>
              <Table.Td className="number">{moment(run.created_at)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
