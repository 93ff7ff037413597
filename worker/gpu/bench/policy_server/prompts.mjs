/*
 * The planner prompts of one step of the quickstart, as the agent worker composes them, on standard output: JSON
 * { turns: [[messages]] }, one list of chat messages per rollout, groups in a row. Runs on dist/.
 *
 * All rollouts of a group share turn 1. In turn 2 each has a memory of its own: another fact that it looked up.
 */
import { atlas } from '../../../../dist/activities/datasets/atlas/atlas.dataset.js';
import { compactPrompt } from '../../../../dist/activities/modules/planner/planner-prompt.js';
import { createTools } from '../../../../dist/activities/tools/index.js';

const QUERIES = 8;
const ROLLOUTS = 8;
const TOOLS = ['calculator', 'lookup', 'generator'];
const dataset = { name: 'atlas', seed: 0, families: { arithmetic: 1, lookup: 1, 'two-hop': 2 } };

const tools = createTools().select(TOOLS);
const questions = atlas.draw({ runSeed: 0, step: 1, first: 0, count: QUERIES, dataset }).map(({ question }) => question);
const facts = atlas.passages(dataset.seed).flatMap(({ text }) => {
  const [, subject] = /^The (.+ of .+) is \d+\.$/.exec(text) ?? [];
  return subject ? [{ tool: 'lookup', subGoal: subject, result: text }] : [];
});

const rollouts = questions.flatMap((question) => Array.from({ length: ROLLOUTS }, () => question));
const first = rollouts.map((question) => compactPrompt(question, tools, [], 2));
const second = rollouts.map((question, index) => compactPrompt(question, tools, [facts[index]], 1));
console.log(JSON.stringify({ turns: [first, second] }));
