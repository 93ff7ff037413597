import type { Analysis, MemoryEntry, Query } from '../../contracts/flow.js';
import type { Tool } from '../tools/tool.js';

export interface SampleFlow {
  query: Query;
  analysis: Analysis;
  memory: MemoryEntry[];
  subGoal: string;
  context: string;
}

/** A made-up flow with everything that a prompt may have to put into words: prompts rendered from it can be compared (I8). */
export function sampleFlow([{ name: tool }]: readonly Tool[]): SampleFlow {
  const verified = { verdict: 'CONTINUE' as const, critique: 'critique' };
  const called = { tool, subGoal: 'sub-goal', command: 'command', ...verified };
  return {
    query: {
      id: 'sample',
      dataset: { name: 'sample', seed: 0 },
      family: 'sample',
      question: 'question',
      answerForm: 'answer form',
    },
    analysis: { summary: 'summary', skills: 'skills', tools: 'tools', considerations: 'considerations' },
    memory: [
      { turn: 1, ...called, result: 'result' },
      { turn: 2, ...called, result: '', mistake: 'mistake', mistakeKind: 'failed' },
      { turn: 3, mistake: 'mistake', mistakeKind: 'unknown_tool', ...verified },
    ],
    subGoal: 'sub-goal',
    context: 'context',
  };
}
