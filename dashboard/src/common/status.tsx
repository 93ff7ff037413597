import { Badge } from '@mantine/core';
import type { Run } from '../api/queries.js';

const COLOURS: Record<Run['status'], string> = {
  queued: 'gray',
  running: 'blue',
  pausing: 'yellow',
  paused: 'yellow',
  cancelling: 'orange',
  cancelled: 'gray',
  completed: 'green',
  failed: 'red',
};

export function Status({ status }: Pick<Run, 'status'>) {
  return (
    <Badge color={COLOURS[status]} variant="dot" tt="none">
      {status}
    </Badge>
  );
}
