import { Group as Row, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { groups as groupsQuery, type Group } from '../api/queries.js';
import { number } from '../common/format.js';
import { Reward } from '../common/reward.js';
import { Empty, Failure, Pending } from '../common/states.js';
import { AnchorLink } from '../common/anchor-link.js';
import { Trail } from '../common/trail.js';

/** The groups of a step: each rollout by its reward, the worst group first. */
export function StepPage() {
  const { runId, step } = useParams({ from: '/shell/runs/$runId/steps/$step' });
  const { data, error, isPending, refetch } = useQuery(groupsQuery(runId, Number(step)));
  return (
    <Stack>
      <Trail runId={runId} />
      <Title order={1} size="h3">
        Step {step}
      </Title>
      {isPending && <Pending />}
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && (
        <Empty title="No rollout of this step is finished">Its groups appear as they are sampled.</Empty>
      )}
      {data &&
        [...data].sort(byReward).map((group) => <GroupCard key={group.id} group={group} where={{ runId, step }} />)}
    </Stack>
  );
}

function byReward(a: Group, b: Group): number {
  return (a.reward_mean ?? -1) - (b.reward_mean ?? -1) || a.group - b.group;
}

function GroupCard({ group, where }: { group: Group; where: { runId: string; step: string } }) {
  return (
    <Paper withBorder p="sm" component="section" aria-label={`Group ${group.group}`}>
      <Text className="written">{group.question}</Text>
      <Text size="sm" c="dimmed">
        <AnchorLink
          to="/runs/$runId/steps/$step/groups/$group"
          params={{ ...where, group: String(group.group) }}
          aria-label={`Group ${group.group}, side by side`}
          underline="always"
        >
          Group {group.group}
        </AnchorLink>{' '}
        · {group.family} · mean reward {number(group.reward_mean)} · {group.scored} scored, {group.excluded} excluded
      </Text>
      <Row gap="xs" mt="xs">
        {group.rollouts.map(({ id, reward, outcome, advantage }, index) => (
          <Link
            key={id}
            to="/rollouts/$rolloutId"
            params={{ rolloutId: id }}
            title={`${outcome}, advantage ${number(advantage)}`}
            aria-label={`Rollout ${index}: ${outcome}, reward ${number(reward)}, advantage ${number(advantage)}`}
          >
            <Reward reward={reward} />
          </Link>
        ))}
      </Row>
    </Paper>
  );
}
