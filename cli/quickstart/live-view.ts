import type { RunFailure } from '../../contracts/failures.js';
import type { Evaluation, RunEvent, TrainingRun } from '../client/api-types.js';
import type { ApiClient } from '../client/api-client.js';
import { describeChoices } from '../output/describe-choices.js';
import { formatNumber, formatShares } from '../output/format.js';
import type { Screen } from './screen.js';

const BAR_WIDTH = 24;
const POLL_MS = 1000;

/** What a step's event says, as far as it is shown. */
interface StepData {
  step: number;
  metrics: {
    reward_mean: number;
    loss: number;
    entropy: number;
    /** Absent where no rollouts were made: supervised fine-tuning. */
    tool_mix?: Record<string, number>;
    tokens_sampled: number;
    rollout_seconds: number;
    seconds: number;
  };
}

interface StepWarnings {
  step: number;
  warnings: { message: string }[];
}

/** A line per step, warning and evaluation, and below them, on a terminal, a bar with the phase and the time left. */
export class LiveView {
  private readonly stepSeconds: number[] = [];
  private phase = 'starting';
  private step: number;
  private steps: number;

  constructor(
    private readonly client: ApiClient,
    private readonly run: TrainingRun,
    private readonly screen: Screen,
  ) {
    this.step = run.step;
    this.steps = run.steps;
  }

  /** Shows the run until it is finished or `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const poll = setInterval(() => void this.refresh(), POLL_MS);
    if (process.stderr.isTTY) this.screen.spinner.start(this.bar());
    try {
      for await (const event of this.client.followEvents(this.run.id, { signal })) this.show(event);
    } finally {
      clearInterval(poll);
      this.screen.spinner.stop();
    }
  }

  private show(event: RunEvent): void {
    const line = this.describe(event);
    if (line) this.screen.say(line);
  }

  private describe({ type, data, run_id }: RunEvent): string | undefined {
    if (type === 'step.completed') return this.describeStep(data as unknown as StepData);
    if (type === 'step.warned') return warningsIn(data as unknown as StepWarnings);
    if (type === 'evaluation.completed') return describeEvaluation(data as unknown as Evaluation);
    return type.startsWith('run.') ? describeStatus(run_id, type, data) : undefined;
  }

  private describeStep({ step, metrics }: StepData): string {
    const { reward_mean, loss, entropy, tool_mix, tokens_sampled, rollout_seconds, seconds } = metrics;
    this.step = step;
    // What the step itself took: the events of a run that is resumed come all at once.
    this.stepSeconds.push(seconds + (tool_mix ? rollout_seconds : 0));
    const name = `step ${String(step).padStart(String(this.steps).length)}/${this.steps}`;
    if (!tool_mix) return `${name}  loss ${formatNumber(loss)}  ${seconds.toFixed(0)} s gradient`;
    return [
      name,
      `reward ${reward_mean.toFixed(3)}`,
      `entropy ${entropy.toFixed(3)}`,
      `${(tokens_sampled / rollout_seconds).toFixed(0)} tokens/s`,
      `${rollout_seconds.toFixed(0)} s rollouts + ${seconds.toFixed(0)} s gradient`,
      formatShares(tool_mix) ?? 'no turns',
    ].join('  ');
  }

  private async refresh(): Promise<void> {
    try {
      const { phase, steps } = await this.client.progress(this.run.id);
      this.phase = phase;
      this.steps = steps;
    } catch {
      this.phase = 'waiting for the stack'; // a part is being restarted: the event stream goes on by itself
    }
    this.screen.spinner.text = this.bar();
  }

  private bar(): string {
    const done = Math.round((BAR_WIDTH * this.step) / this.steps);
    return `${'█'.repeat(done)}${'░'.repeat(BAR_WIDTH - done)} ${this.step}/${this.steps}  ${this.phase}${this.timeLeft()}`;
  }

  private timeLeft(): string {
    const recent = this.stepSeconds.slice(-5);
    if (recent.length === 0 || this.step >= this.steps) return '';
    const mean = recent.reduce((sum, seconds) => sum + seconds, 0) / recent.length;
    return `  about ${Math.ceil((mean * (this.steps - this.step)) / 60)} min left`;
  }
}

function describeStatus(runId: string, type: string, data: RunEvent['data']): string {
  const failure = data['failure'] as RunFailure | undefined;
  const line = type.replace('run.', '') + (failure ? `: ${failure.type}: ${failure.message}` : '');
  return [line, ...describeChoices(runId, data)].join('\n');
}

function warningsIn({ step, warnings }: StepWarnings): string {
  return warnings.map(({ message }) => `step ${step}: ${message}`).join('\n');
}

function describeEvaluation(evaluation: Evaluation): string {
  const { planner, step, accuracy, questions, by_family: families } = evaluation;
  const parts = Object.entries(families).map(([name, family]) => `${name} ${family.accuracy.toFixed(2)}`);
  const who = planner === 'policy' ? `policy @${step}` : `${planner} planner`;
  return `held-out accuracy of the ${who}: ${accuracy.toFixed(3)} of ${questions} questions (${parts.join(', ')})`;
}
