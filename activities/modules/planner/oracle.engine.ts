import type { TurnRecord } from '../../../contracts/flow.js';
import { factFound } from '../facts-found.js';
import { readWording } from '../question-wording.js';
import type { PlannerEngine } from './planner-engine.js';

/** A yardstick: the right plan for each family, read from the question's wording. It knows no answer. */
export const oracleEngine: PlannerEngine = async ({ query, memory }, tools) => {
  const { tool, subGoal } = oraclePlan(query.question, memory);
  const title = tools.find(({ name }) => name === tool)?.title ?? tool;
  return { text: `${title}: ${subGoal}`, finishReason: 'stop' };
};

/** Looks up each fact that is still missing, then calculates. */
export function oraclePlan(question: string, memory: readonly TurnRecord[]): { tool: string; subGoal: string } {
  const { facts, formula } = readWording(question) ?? { facts: [question] };
  const values = facts.map((fact) => factFound(memory, fact));
  const missing = facts.find((_, index) => values[index] === undefined);
  if (missing !== undefined) return { tool: 'lookup', subGoal: missing };
  if (formula === undefined) return { tool: 'lookup', subGoal: facts[0] };
  return { tool: 'calculator', subGoal: formula.replace(/#(\d)/g, (_, number: string) => values[+number - 1] ?? '') };
}
