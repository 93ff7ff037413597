import { randomStream } from '../../datasets/random.js';
import { callSeed } from '../../engines/call-seed.js';
import { readWording } from '../question-wording.js';
import type { PlannerEngine } from './planner-engine.js';

/** A yardstick: picks a tool at random and hands it the question's words, operators as signs for the calculator. */
export const randomEngine: PlannerEngine = async (input, tools) => {
  const tool = randomStream('planner/random', callSeed(input.flow, input.turn)).pick(tools);
  return { text: `${tool.title}: ${plausibleInput(input.query.question, tool.name)}`, finishReason: 'stop' };
};

function plausibleInput(question: string, tool: string): string {
  const wording = readWording(question);
  if (tool === 'calculator' && wording?.facts.length === 0 && wording.formula) return wording.formula;
  return question.replace(/^What is (the )?/, '').replace(/\?$/, '');
}
