import type { DataSource } from 'typeorm';
import { Turn } from '../../../infra/database/entities/index.js';
import { writeFlowStatus } from '../../../infra/database/flow-status.js';
import type { AgentFlowResult } from '../../../contracts/flow.js';
import type { ModelCall } from '../../../contracts/model-call.js';

export const RESULT: AgentFlowResult = {
  flowId: '',
  outcome: 'answered',
  answer: '30184',
  turns: 2,
  tools: ['lookup', 'none'],
};

const CALL: ModelCall = {
  engine: 'llm',
  model: 'a-model',
  prompt: [{ role: 'user', content: 'Is it enough?' }],
  template: 'cafe',
  temperature: 0,
  maxTokens: 16,
  reply: 'STOP',
  finishReason: 'stop',
  inputTokens: 10,
  outputTokens: 3,
  cost: 0.25,
  seconds: 1.5,
};

/** Two turns, the second with a plan that could not be read: what the agent worker writes. */
const ROWS: (Partial<Turn> & Pick<Turn, 'turn' | 'module' | 'output'>)[] = [
  {
    turn: 0,
    module: 'query_analysis',
    output: { analysis: { summary: 'a product', skills: '', tools: '', considerations: '' }, seconds: 0 },
  },
  {
    turn: 1,
    module: 'planner',
    output: { text: 'Lookup: area of Hexley', tool: 'lookup', subGoal: 'area of Hexley', seconds: 0.5 },
    promptTokenIds: Buffer.from(Int32Array.of(1, 2, 3).buffer),
    responseTokenIds: Buffer.from(Int32Array.of(4).buffer),
  },
  { turn: 1, module: 'executor', output: { command: '{"query":"area of Hexley"}', result: '4312', seconds: 0 } },
  { turn: 1, module: 'verifier', output: { verdict: 'CONTINUE', critique: 'compute', seconds: 1.5 }, calls: [CALL] },
  {
    turn: 2,
    module: 'planner',
    output: { text: '?', mistake: 'no tool named', mistakeKind: 'unreadable_plan', seconds: 0 },
  },
  { turn: 2, module: 'verifier', output: { verdict: 'STOP', critique: 'it will do', seconds: 0 } },
  { turn: 0, module: 'generator', output: { answer: '30184', seconds: 0 } },
];

/** Writes a flow's rows one after the other, as its calls do. */
export async function addTurns(dataSource: DataSource, flowId: string): Promise<void> {
  for (const { output, ...row } of ROWS) {
    await dataSource.getRepository(Turn).insert({ flowId, output: output as object, ...(row as object) });
  }
}

/** Lets a queued flow run, answer and end. */
export async function completeFlow(dataSource: DataSource, flowId: string): Promise<void> {
  await writeFlowStatus(dataSource, { flowId, version: 1, status: 'running' });
  await addTurns(dataSource, flowId);
  await writeFlowStatus(dataSource, { flowId, version: 2, status: 'completed', result: { ...RESULT, flowId } });
}
