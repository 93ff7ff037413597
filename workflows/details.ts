import type { RunFailure } from '../contracts/failures.js';
import type { AgentFlowInput, AgentFlowResult, MemoryEntry, Outcome } from '../contracts/flow.js';
import type { Cell } from '../contracts/benchmark-evaluation.js';
import type { EvaluationConfig } from '../contracts/evaluation-config.js';
import type {
  EvaluationInput,
  EvaluationTally,
  RolloutGroupInput,
  TrainingRunInput,
  TrainingRunState,
} from '../contracts/training-run.js';

/** Longest summary the Temporal UI shows on one line without cutting it. */
const SUMMARY_LENGTH = 120;
/** A table cell; the full text is in the activity's result. */
const CELL_LENGTH = 200;

export function oneLine(text: string, length = SUMMARY_LENGTH): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** What happened in a flow so far, turn by turn. */
export function flowDetails(
  input: AgentFlowInput,
  memory: MemoryEntry[],
  outcome?: Outcome,
  answer?: string,
  reward?: number,
): string {
  return [
    `**${cell(input.query.question)}**`,
    `planner \`${input.config.planner.engine}\`, policy \`${input.policy?.name ?? input.model}\``,
    '',
    table(
      ['turn', 'tool', 'input', 'result', 'verdict', 'why'],
      memory.map((m) => [
        m.turn,
        m.tool ?? '—',
        m.command ?? m.subGoal ?? '',
        m.mistake ?? m.result ?? '',
        m.verdict,
        m.critique,
      ]),
    ),
    '',
    answer === undefined ? '' : `answer: **${cell(answer)}**`,
    reward === undefined ? '' : `reward: **${rounded(reward)}**`,
    outcome === undefined ? 'open' : `outcome: **${outcome}**`,
  ].join('\n');
}

export function groupDetails(input: RolloutGroupInput, rollouts: AgentFlowResult[]): string {
  return [
    `**${cell(input.query.question)}**, step ${input.step}, policy \`${input.policy.name}\``,
    '',
    table(
      ['rollout', 'outcome', 'reward', 'answer', 'tools'],
      rollouts.map((r, i) => [
        i,
        r.outcome,
        r.reward === undefined ? '—' : rounded(r.reward),
        r.answer ?? '',
        r.tools.join(', '),
      ]),
    ),
  ].join('\n');
}

export function evaluationDetails(input: EvaluationInput, tally: EvaluationTally): string {
  const families = Object.entries(tally.byFamily).sort(([a], [b]) => a.localeCompare(b));
  return [
    `Held-out questions, planner \`${input.planner}\`, policy \`${input.policy.name}\``,
    `asked ${tally.asked} of ${input.config.evaluation.questions}, excluded ${tally.failed}`,
    '',
    table(
      ['family', 'questions', 'correct'],
      families.map(([name, family]) => [name, family.questions, family.correct]),
    ),
  ].join('\n');
}

/** The cells of an evaluation, with the number of flows of each one that is over. */
export function evaluationProgress(config: EvaluationConfig, cells: readonly Cell[], asked: readonly number[]): string {
  const state = (index: number) => asked[index] ?? (index === asked.length ? 'running' : '');
  return [
    `**${cell(config.name)}**: \`${config.model}\``,
    '',
    table(
      ['benchmark', 'policy', 'turns', 'flows'],
      cells.map(({ index, benchmark, policy, maxTurns }) => [benchmark.name, policy, maxTurns, state(index)]),
    ),
  ].join('\n');
}

export function runDetails(input: TrainingRunInput, state: TrainingRunState, phase: string): string {
  return [
    `**${cell(input.config.name)}**: \`${input.config.model}\` on \`${input.config.dataset.name}\``,
    '',
    table(
      ['status', 'phase', 'step', 'policy', 'last reward', 'last held-out accuracy'],
      [
        [
          state.status,
          phase,
          `${state.step} of ${state.steps}`,
          state.policy?.name ?? '—',
          state.lastReward ?? '—',
          state.lastAccuracy ?? '—',
        ],
      ],
    ),
    state.failure ? `\n${pauseDetails(state.failure)}` : '',
  ].join('\n');
}

export function pauseDetails({ type, message }: RunFailure): string {
  return `Paused by **${type}**: ${cell(message)}`;
}

function table(head: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return '';
  const line = (cells: (string | number)[]) => `| ${cells.map((c) => cell(String(c))).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return oneLine(text, CELL_LENGTH).replaceAll('|', '\\|');
}

/** A reward may be an F1 such as 2/3. */
function rounded(reward: number): number {
  return Number(reward.toFixed(3));
}
