import { Badge, Code, Group, Paper, Spoiler, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { rollout as rolloutQuery, type Rollout, type Turn } from '../api/queries.js';
import { number } from '../common/format.js';
import { Reward } from '../common/reward.js';
import { Failure, Pending } from '../common/states.js';
import { Trail } from '../common/trail.js';
import { TokenMap } from './token-map.js';

/** One rollout, turn by turn: what the planner chose, what came of it, and what it was worth. */
export function RolloutPage() {
  const { rolloutId } = useParams({ from: '/shell/rollouts/$rolloutId' });
  const { data, error, isPending, refetch } = useQuery(rolloutQuery(rolloutId));
  if (isPending) return <Pending />;
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  return (
    <Stack>
      <Trail runId={data.run_id} step={data.step} />
      <Title order={1} size="h3">
        Rollout {data.rollout} of group {data.group}
      </Title>
      <Outcome rollout={data} />
      <Memory rollout={data} />
      <section aria-label="Modules">
        <Title order={2} size="h4">
          What each module did
        </Title>
        <Stack mt="xs">
          {data.turn_records.map((turn) => (
            <TurnCard key={`${turn.turn}/${turn.module}`} turn={turn} advantage={data.advantage} />
          ))}
        </Stack>
      </section>
    </Stack>
  );
}

function Outcome({ rollout }: { rollout: Rollout }) {
  const rows: [string, ReactNode][] = [
    ['Question', <Text className="written">{rollout.question}</Text>],
    ['Answer', <Text className="written">{rollout.answer ?? 'none'}</Text>],
    ['Outcome', rollout.outcome],
    ['Reward', <Reward reward={rollout.reward} />],
    ['Advantage', <span className="number">{number(rollout.advantage)}</span>],
    ['Policy', rollout.policy ?? 'none'],
  ];
  return (
    <Table variant="vertical" withTableBorder layout="fixed">
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th w={120}>{name}</Table.Th>
            <Table.Td>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** What the planner saw of the turns before. */
function Memory({ rollout }: { rollout: Rollout }) {
  return (
    <section aria-label="Turns">
      <Title order={2} size="h4">
        Turns
      </Title>
      <Stack mt="xs">
        {rollout.memory.map((entry) => (
          <Paper key={entry.turn} withBorder p="sm">
            <Group gap="xs">
              <Text fw={600}>Turn {entry.turn}</Text>
              <Badge variant="default" tt="none">
                {entry.tool ?? 'unreadable plan'}
              </Badge>
              <Badge variant="dot" color={entry.verdict === 'STOP' ? 'green' : 'blue'} tt="none">
                {entry.verdict}
              </Badge>
            </Group>
            <Said name="Sub-goal" text={entry.subGoal} />
            <Said name="Call" text={entry.command} />
            <Said name="Result" text={entry.result} />
            <Said name="Mistake" text={entry.mistake} />
            <Said name="Critique" text={entry.critique} />
          </Paper>
        ))}
      </Stack>
    </section>
  );
}

function Said({ name, text }: { name: string; text: string | undefined }) {
  if (text === undefined || text === '') return null;
  return (
    <div>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text className="written">{text}</Text>
    </div>
  );
}

function TurnCard({ turn, advantage }: { turn: Turn; advantage: number | null }) {
  const { module, temperature, logprobs, prompt, output, response_token_ids: tokenIds } = turn;
  const facts = [
    temperature !== null && `temperature ${number(temperature)}`,
    logprobs && `${logprobs.length} tokens, log-prob ${number(logprobs.reduce((sum, value) => sum + value, 0))}`,
  ].filter(Boolean);
  return (
    <Paper withBorder p="sm">
      <Group gap="xs">
        <Text fw={600}>
          Turn {turn.turn}: {module}
        </Text>
        <Text size="sm" c="dimmed">
          {facts.join(' · ')}
        </Text>
      </Group>
      <Written value={output} />
      {tokenIds && logprobs && (
        <TokenMap
          name={`Tokens of turn ${turn.turn}, ${module}`}
          tokenIds={tokenIds}
          logprobs={logprobs}
          // The planner is what is trained.
          advantage={module === 'planner' ? advantage : null}
        />
      )}
      {prompt !== null && (
        <Spoiler maxHeight={0} showLabel="Show the prompt" hideLabel="Hide the prompt">
          <Written value={prompt} />
        </Spoiler>
      )}
    </Paper>
  );
}

function Written({ value }: { value: unknown }) {
  return (
    <Code block className="written">
      {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
    </Code>
  );
}
