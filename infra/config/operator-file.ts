import { readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

const registeredName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower-case letters, digits, ".", "_", "-"');

const operatorSchema = z.strictObject({
  models: z
    .record(
      registeredName,
      z.strictObject({
        /** Where the base model's weights come from: a name that worker/gpu/flow_grpo/base_model.py knows. */
        source: registeredName,
        /** Positions of the model's context used here: prompt and response together. */
        context: z.int().min(64),
      }),
    )
    .refine((models) => Object.keys(models).length > 0, 'must register at least one model'),
  tools: z.array(registeredName).min(1),
  datasets: z.array(registeredName).min(1),
  timeouts: z.strictObject({
    /** A gradient step whose worker sends no heartbeat for this long is given to another attempt. */
    train_heartbeat_s: z.number().positive(),
    /** The same for every other activity. */
    call_heartbeat_s: z.number().positive(),
    /** How long a call of a rollout may go on failing for infrastructure reasons before the rollout is excluded. */
    patience_s: z.number().positive(),
    /** How long a group of rollouts may take in all before those still open are excluded. */
    group_deadline_s: z.number().positive(),
  }),
});

/** What the operator registered: the only names that a submitted configuration may use (I12). */
export type OperatorFile = z.infer<typeof operatorSchema>;

/** The operator's file is missing or wrong. The message names the file and every bad field. */
export class OperatorFileError extends Error {
  override readonly name = 'OperatorFileError';
}

/** @throws OperatorFileError */
export function loadOperatorFile(path: string): OperatorFile {
  const parsed = operatorSchema.safeParse(readYaml(path));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top level)'}: ${issue.message}`);
  throw new OperatorFileError(`${path}: fields to correct:\n${lines.join('\n')}`);
}

function readYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof YAMLParseError ? 'is not YAML' : 'cannot be read';
    throw new OperatorFileError(`${path}: ${reason}: ${(error as Error).message}`, { cause: error });
  }
}
