import type { RunEvent } from '../client/api-types.js';
import { formatFraction, formatNumber, formatShares, shortSha256 } from './format.js';

type Data = RunEvent['data'];
type Describe = (data: Data) => (string | undefined)[];

const DESCRIPTIONS: Record<string, Describe> = {
  'step.completed': ({ step, policy_sha256, metrics }) => {
    const values = record(metrics);
    return [
      `step ${text(step)}`,
      measure('reward', values['reward_mean']),
      measure('loss', values['loss']),
      measure('entropy', values['entropy']),
      measure('kl', values['kl']),
      measure('seconds', values['seconds']),
      `policy ${shortSha256(policy_sha256)}`,
    ];
  },
  'step.warned': ({ step, warnings }) => [
    `step ${text(step)}`,
    ...(warnings as { message: string }[]).map(({ message }) => message),
  ],
  'evaluation.completed': ({ step, planner, accuracy, questions, failed, tool_mix }) => [
    `planner ${text(planner)} after step ${text(step)}`,
    `accuracy ${formatFraction(accuracy)} of ${text(questions)} questions`,
    Number(failed) > 0 ? `${text(failed)} failed` : undefined,
    formatShares(record(tool_mix)),
  ],
};

/** One line of a run's event stream. */
export function describeEvent({ sequence, type, data, created_at }: RunEvent): string {
  const describe = DESCRIPTIONS[type] ?? (type.startsWith('run.') ? describeStatus : describeOther);
  const details = describe(data).filter((part) => part !== undefined);
  return [created_at.slice(11, 19), `#${sequence}`.padEnd(6), type.padEnd(20), details.join('  ')].join(' ').trimEnd();
}

const describeStatus: Describe = ({ step, policy_sha256, failure }) => {
  const { type, message } = record(failure);
  return [
    `step ${text(step)}`,
    policy_sha256 === undefined ? undefined : `policy ${shortSha256(policy_sha256)}`,
    message === undefined ? undefined : `${text(type)}: ${text(message)}`,
  ];
};

const describeOther: Describe = (data) => [JSON.stringify(data)];

function measure(name: string, value: unknown): string | undefined {
  return typeof value === 'number' ? `${name} ${formatNumber(value)}` : undefined;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
