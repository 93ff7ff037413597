import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { runConfigSchema } from './run-config.js';

const EXAMPLES = new URL('../examples/', import.meta.url);

function read(file: string) {
  return runConfigSchema.parse(parse(readFileSync(new URL(file, EXAMPLES), 'utf8')));
}

/** These say how a question is asked and how policies are evaluated; the API's tests read them. */
const OTHERS = ['solve.yaml', 'evaluation.yaml'];
const isRun = (file: string) => file.endsWith('.yaml') && !OTHERS.includes(file);

describe('examples/', () => {
  it.each(readdirSync(EXAMPLES).filter(isRun))('%s is a valid configuration', (file) => {
    expect(read(file).name).toBe(file.replace('.yaml', ''));
  });

  it('agentflow-7b.yaml holds the values of the paper', () => {
    const { flow, training } = read('agentflow-7b.yaml');
    expect(flow).toMatchObject({ max_turns: 3, planner: { temperature: 0.7, max_tokens: 2048 } });
    expect(training).toMatchObject({
      queries_per_step: 32,
      group_size: 8,
      mini_batches: 4,
      epochs: 1,
      advantage: 'trajectory',
      aggregation: 'paper',
      policy_loss: { kind: 'clip', low: 0.2, high: 0.3, dual: 3 },
      kl: { coefficient: 0.001, estimator: 'k3', reference: 'base' },
      entropy_coefficient: 0,
      learning_rate: 1e-6,
      weight_decay: 0.01,
      max_grad_norm: 1,
    });
  });
});
