import { Accordion, Alert, Code, Group, SimpleGrid, Slider, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import {
  evaluations,
  run as runQuery,
  steps as stepsQuery,
  type Evaluation,
  type Run,
  type Step,
} from '../api/queries.js';
import type { RunEvent } from '../api/follow-run.js';
import { LineChart } from '../charts/line-chart.js';
import { accuracySeries, countSeries, metricSeries, smoothed } from '../charts/series.js';
import { moment, number } from '../common/format.js';
import { Empty, Failure, Pending } from '../common/states.js';
import { Status } from '../common/status.js';
import { RunControls } from './run-controls.js';
import { useRunEvents } from './use-run-events.js';
import { AnchorLink } from '../common/anchor-link.js';

/** A chart for each of these metrics of a step: its title, its unit, and its name. */
const CHARTS: [title: string, unit: string, metric: string][] = [
  ['Reward', 'mean reward', 'reward_mean'],
  ['Entropy', 'nats', 'entropy'],
  ['KL from the reference model', 'nats', 'kl'],
  ['Gradient norm', 'norm', 'gradient_norm'],
  ['Clip fraction', 'share of tokens', 'clip_fraction'],
  ['Turns', 'turns of a rollout', 'mean_turns'],
  ['Tokens of a step', 'tokens', 'tokens_sampled'],
  ['Gradient step', 'seconds', 'seconds'],
];

/** One training run: how it is, what it did, and what may be done to it. It follows the run's events. */
export function RunPage() {
  const { runId } = useParams({ from: '/shell/runs/$runId' });
  return <RunOf key={runId} runId={runId} />;
}

function RunOf({ runId }: { runId: string }) {
  const events = useRunEvents(runId);
  const run = useQuery(runQuery(runId));
  const steps = useQuery(stepsQuery(runId));
  const held = useQuery(evaluations(runId));
  if (run.isPending) return <Pending />;
  if (run.error) return <Failure error={run.error} onRetry={() => void run.refetch()} />;
  return (
    <Stack>
      <Heading run={run.data} />
      {steps.error && <Failure error={steps.error} onRetry={() => void steps.refetch()} />}
      {steps.data?.length === 0 && (held.data?.data.length ?? 0) === 0 && (
        <Empty title="No step is committed yet">The first curves come with the first step or evaluation.</Empty>
      )}
      <Charts run={run.data} steps={steps.data ?? []} evaluations={held.data?.data ?? []} />
      <Steps run={run.data} steps={steps.data ?? []} />
      <Accordion multiple variant="contained" defaultValue={['events']}>
        <Accordion.Item value="events">
          <Accordion.Control>Events</Accordion.Control>
          <Accordion.Panel>
            <Events events={events} />
          </Accordion.Panel>
        </Accordion.Item>
        <Accordion.Item value="configuration">
          <Accordion.Control>Configuration</Accordion.Control>
          <Accordion.Panel>
            <Code block className="written">
              {JSON.stringify(run.data.config, null, 2)}
            </Code>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  );
}

function Heading({ run }: { run: Run }) {
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Group>
          <Title order={1} size="h3">
            {run.name}
          </Title>
          <Status status={run.status} />
        </Group>
        <RunControls run={run} />
      </Group>
      <Text c="dimmed" size="sm">
        {run.id} · step <span data-testid="step">{run.step}</span> of {run.steps} · {run.model} · seed {run.seed} ·
        created {moment(run.created_at)}
        {run.finished_at && ` · ended ${moment(run.finished_at)}`}
      </Text>
      {run.failure && (
        <Alert color="red" title={run.failure.type} role="alert">
          <Text className="written">{run.failure.message}</Text>
        </Alert>
      )}
    </Stack>
  );
}

function Charts({ run, steps, evaluations: held }: { run: Run; steps: Step[]; evaluations: Evaluation[] }) {
  const [weight, setWeight] = useState(0);
  const charts = useMemo(
    () =>
      CHARTS.map(([title, unit, metric]) => ({
        title,
        unit,
        series: [smoothed(metricSeries(steps, metric, run.name), weight)],
      })),
    [steps, run.name, weight],
  );
  const accuracy = useMemo(() => accuracySeries(held), [held]);
  const tools = useMemo(() => countSeries(steps, 'tool_mix'), [steps]);
  const excluded = useMemo(() => countSeries(steps, 'rollouts_excluded'), [steps]);
  if (steps.length === 0 && held.length === 0) return null;
  return (
    <Stack>
      <Group>
        <Text size="sm" id="smoothing">
          Smoothing
        </Text>
        <Slider
          w={180}
          min={0}
          max={0.95}
          step={0.05}
          value={weight}
          onChange={setWeight}
          thumbLabel="Smoothing"
          label={number}
        />
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {held.length > 0 && (
          <LineChart group={run.id} title="Held-out accuracy" unit="share of questions" series={accuracy} />
        )}
        {charts.map((chart) => (
          <LineChart key={chart.title} group={run.id} {...chart} />
        ))}
        {tools.length > 0 && <LineChart group={run.id} title="Tools" unit="turns" series={tools} stacked />}
        {excluded.length > 0 && (
          <LineChart group={run.id} title="Excluded rollouts" unit="rollouts" series={excluded} stacked />
        )}
      </SimpleGrid>
    </Stack>
  );
}

function Steps({ run, steps }: { run: Run; steps: Step[] }) {
  if (steps.length === 0) return null;
  const latest = [...steps].reverse().slice(0, 50);
  return (
    <section aria-label="Steps">
      <Title order={2} size="h4">
        Steps
      </Title>
      <Table.ScrollContainer minWidth={480} mah={320}>
        <Table stickyHeader>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Step</Table.Th>
              <Table.Th>Reward</Table.Th>
              <Table.Th>Groups</Table.Th>
              <Table.Th>Policy</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {latest.map(({ step, metrics, policy_sha256: sha256 }) => (
              <Table.Tr key={step}>
                <Table.Td>
                  <AnchorLink to="/runs/$runId/steps/$step" params={{ runId: run.id, step: String(step) }}>
                    Step {step}
                  </AnchorLink>
                </Table.Td>
                <Table.Td className="number">{number(metrics['reward_mean'] as number)}</Table.Td>
                <Table.Td className="number">{number(metrics['groups'] as number)}</Table.Td>
                <Table.Td>
                  <Code>{sha256.slice(0, 12)}</Code>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}

function Events({ events }: { events: RunEvent[] }) {
  return (
    <Table.ScrollContainer minWidth={480} mah={320}>
      <Table aria-label="Events">
        <Table.Tbody>
          {events.map((event) => (
            <Table.Tr key={event.sequence}>
              <Table.Td className="number">{moment(event.created_at)}</Table.Td>
              <Table.Td>{event.type}</Table.Td>
              <Table.Td>
                <Text className="written" lineClamp={3}>
                  {JSON.stringify(event.data)}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
