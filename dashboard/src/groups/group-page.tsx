import { Badge, Group as Row, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { groups as groupsQuery, rollout as rolloutQuery, type Rollout } from '../api/queries.js';
import { AnchorLink } from '../common/anchor-link.js';
import { number } from '../common/format.js';
import { Reward } from '../common/reward.js';
import { Failure, NothingHere, Pending } from '../common/states.js';
import { Trail } from '../common/trail.js';
import { partingOf, sharedStart, type Parting, type SampledTurn } from './parting.js';

/** The rollouts of a group side by side, and where they part: what earned one of them more than another. */
export function GroupPage() {
  const { runId, step, group } = useParams({ from: '/shell/runs/$runId/steps/$step/groups/$group' });
  const groups = useQuery(groupsQuery(runId, Number(step)));
  const found = groups.data?.find((one) => String(one.group) === group);
  const rollouts = useQueries({
    queries: (found?.rollouts ?? []).map(({ id }) => rolloutQuery(id)),
    combine: (results) => ({
      data: results.flatMap(({ data }) => data ?? []),
      error: results.find(({ error }) => error)?.error,
      isPending: results.some(({ isPending }) => isPending),
    }),
  });
  const error = groups.error ?? rollouts.error;
  if (error) return <Failure error={error} onRetry={() => void groups.refetch()} />;
  if (groups.isPending || rollouts.isPending) return <Pending />;
  if (!found) return <NothingHere />;
  const parting = partingOf(rollouts.data.map(sampledTurns));
  return (
    <Stack>
      <Trail runId={runId} step={Number(step)} />
      <Title order={1} size="h3">
        Group {group}
      </Title>
      <Text className="written">{found.question}</Text>
      <Text role="status">{describe(parting, rollouts.data.length)}</Text>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: Math.min(4, rollouts.data.length) }}>
        {rollouts.data.map((rollout) => (
          <RolloutCard
            key={rollout.id}
            rollout={rollout}
            parting={parting}
            shared={sharedPlan(parting, rollouts.data)}
          />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function describe(parting: Parting | undefined, count: number): string {
  if (count < 2) return 'There is no second rollout to part from.';
  switch (parting?.by) {
    case undefined:
      return 'They never part: the planner sampled the same tokens in every turn of all.';
    case 'token':
      return `They part in turn ${parting.turn} at token ${parting.token + 1}.`;
    case 'prompt':
      return `They part before turn ${parting.turn}: the planner was not told the same in all.`;
    case 'end':
      return `They part before turn ${parting.turn}: not all went on to it.`;
  }
}

interface CardProps {
  rollout: Rollout;
  parting: Parting | undefined;
  /** How all plans of the turn in which they part begin. */
  shared: string;
}

function RolloutCard({ rollout, parting, shared }: CardProps) {
  return (
    <Paper withBorder p="sm" component="section" aria-label={`Rollout ${rollout.rollout}`}>
      <Row gap="xs">
        <AnchorLink to="/rollouts/$rolloutId" params={{ rolloutId: rollout.id }} fw={600}>
          Rollout {rollout.rollout}
        </AnchorLink>
        <Reward reward={rollout.reward} />
        <Text size="sm" c="dimmed">
          advantage {number(rollout.advantage)} · {rollout.outcome}
        </Text>
      </Row>
      {planners(rollout).map(({ turn, output }) => (
        <div key={turn}>
          <Row gap="xs" mt="xs">
            <Text size="sm" c="dimmed">
              Turn {turn}
            </Text>
            {parting?.turn === turn && (
              <Badge variant="default" tt="none">
                They part here
              </Badge>
            )}
          </Row>
          <Plan text={planText(output)} shared={parting?.turn === turn ? shared : ''} />
          <Text size="sm" c="dimmed" className="written">
            {rollout.memory.find((entry) => entry.turn === turn)?.result}
          </Text>
        </div>
      ))}
      <Text className="written" mt="xs">
        {rollout.answer ?? 'No answer'}
      </Text>
    </Paper>
  );
}

/** What all planned is quiet. */
function Plan({ text, shared }: { text: string; shared: string }) {
  return (
    <Text className="written">
      {shared !== '' && (
        <Text span inherit c="dimmed">
          {shared}
        </Text>
      )}
      {text.slice(shared.length)}
    </Text>
  );
}

/** Empty if they do not part within the plans of a turn. */
function sharedPlan(parting: Parting | undefined, rollouts: readonly Rollout[]): string {
  if (parting?.by !== 'token') return '';
  const texts = rollouts.flatMap((rollout) => planners(rollout).filter(({ turn }) => turn === parting.turn));
  return sharedStart(texts.map(({ output }) => planText(output)));
}

function planners(rollout: Rollout) {
  return rollout.turn_records.filter(({ module }) => module === 'planner');
}

/** Of a planner that is not the policy the API knows no tokens: its text counts, character by character. */
function sampledTurns(rollout: Rollout): SampledTurn[] {
  return planners(rollout).map(({ turn, prompt, output, prompt_token_ids, response_token_ids }) => ({
    turn,
    promptTokenIds: prompt_token_ids ?? codePoints(JSON.stringify(prompt)),
    responseTokenIds: response_token_ids ?? codePoints(planText(output)),
  }));
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!);
}

function planText(output: unknown): string {
  const { text } = (output ?? {}) as { text?: unknown };
  return typeof text === 'string' ? text : JSON.stringify(output);
}
