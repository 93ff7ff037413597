import { Alert, Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/call.js';
import type { Run } from '../api/queries.js';

interface Verb {
  label: string;
  /** What it does, to be confirmed. */
  means: string;
  when: readonly Run['status'][];
  act: (id: string) => Promise<unknown>;
}

const UNDER_WAY = ['queued', 'running', 'pausing', 'paused'] as const;
const VERBS: Verb[] = [
  {
    label: 'Pause',
    means: 'The run stops where it is, and loses nothing.',
    when: ['running'],
    act: (id) => call('POST /v1/training_runs/{id}/pause', { path: { id } }),
  },
  {
    label: 'Resume',
    means: 'The run goes on where it stopped.',
    when: ['paused', 'pausing'],
    act: (id) => call('POST /v1/training_runs/{id}/resume', { path: { id } }),
  },
  {
    label: 'Cancel',
    means: 'The run ends now. Its committed steps stay, and it cannot be resumed.',
    when: UNDER_WAY,
    act: (id) => call('POST /v1/training_runs/{id}/cancel', { path: { id } }),
  },
];

/** What may be done to a run as it is now: each is confirmed first. */
export function RunControls({ run }: { run: Run }) {
  const possible = VERBS.filter(({ when }) => when.includes(run.status));
  return (
    <Group gap="xs">
      {possible.map((verb) => (
        <Confirmed key={verb.label} run={run} {...verb} />
      ))}
      {UNDER_WAY.some((status) => status === run.status) && <LearningRate run={run} />}
    </Group>
  );
}

function Confirmed({ run, label, means, act }: { run: Run } & Verb) {
  return (
    <Asked run={run} label={label} act={() => act(run.id)}>
      <Text>{means}</Text>
    </Asked>
  );
}

function LearningRate({ run }: { run: Run }) {
  const [rate, setRate] = useState<number | string>(run.config.training.learning_rate);
  const act = () =>
    call('POST /v1/training_runs/{id}/learning_rate', { path: { id: run.id }, body: { learning_rate: Number(rate) } });
  return (
    <Asked run={run} label="Learning rate" act={act}>
      <NumberInput
        label="Learning rate"
        description="From the next step on."
        value={rate}
        onChange={setRate}
        min={0}
        step={1e-5}
        decimalScale={10}
        data-autofocus
      />
    </Asked>
  );
}

interface AskedProps {
  run: Run;
  label: string;
  act: () => Promise<unknown>;
  children: React.ReactNode;
}

function Asked({ run, label, act, children }: AskedProps) {
  const [isOpen, { open, close }] = useDisclosure();
  const queries = useQueryClient();
  const done = useMutation({
    mutationFn: act,
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: ['run', run.id] });
    },
  });
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        {label}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={`${label}: ${run.name}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          {children}
          {done.error && (
            <Alert color="red" role="alert">
              {done.error.message}
            </Alert>
          )}
          <Group justify="end">
            <Button variant="default" onClick={close}>
              Leave it
            </Button>
            <Button loading={done.isPending} onClick={() => done.mutate()}>
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
