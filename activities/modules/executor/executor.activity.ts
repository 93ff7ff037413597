import type { ExecuteTurnInput, ModuleActivities } from '../../../contracts/agent-activities.js';
import { FailureType } from '../../../contracts/failures.js';
import { callSeed } from '../../engines/call-seed.js';
import type { ModelCalls } from '../../engines/model-calls.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { cutText } from '../../text/cut-text.js';
import type { Tool, ToolContext } from '../../tools/tool.js';
import type { ToolCallNotes } from '../../trajectories/tool-call-notes.js';
import type { Produced } from '../../trajectories/turn-store.js';
import { callsOf } from '../module-calls.js';
import type { ModuleDependencies } from '../module-dependencies.js';
import { writeArguments } from './llm-executor.js';
import { runCommand, type ToolRun } from './run-command.js';
import { scriptedArguments } from './scripted-executor.js';

export function createExecutorActivities(dependencies: ModuleDependencies): Pick<ModuleActivities, 'executeTurn'> {
  const { turns, tools, toolCalls } = dependencies;
  return {
    executeTurn: async (input: ExecuteTurnInput) => {
      const run = await turns.once<ToolRun>({ flowId: input.flow.flowId, turn: input.turn, module: 'executor' }, () =>
        execute(callsOf(dependencies, input, 'executor', input.turn), input, tools.named(input.tool), toolCalls),
      );
      return { ...run, command: cutText(run.command), result: cutText(run.result) };
    },
  };
}

/** The arguments by the executor's engine, then the tool; the tool's own calls of a model are kept with it. */
async function execute(
  calls: ModelCalls,
  input: ExecuteTurnInput,
  tool: Tool,
  toolCalls: ToolCallNotes,
): Promise<Produced<ToolRun>> {
  const { module, subGoal, flow, turn } = input;
  const written =
    module.engine === 'scripted' ? scriptedArguments(tool, subGoal) : await writeArguments(calls, module, input, tool);
  const note = toolCalls.of({ flowId: flow.flowId, turn, tool: tool.name }, calls.signal);
  const run = await runCommand(tool, written, toolContext(calls, input, tool), note);
  return { output: run, recorded: calls.record() };
}

function toolContext(
  calls: ModelCalls,
  { flow, query, turn, toolEngine }: ExecuteTurnInput,
  { name, asksModel }: Tool,
): ToolContext {
  return {
    flowId: flow.flowId,
    turn,
    dataset: query.dataset,
    seed: callSeed(flow, turn),
    signal: calls.signal,
    promptStyle: toolEngine.prompt,
    generate: async ({ instruction, prompt }) => {
      if (!asksModel) throw undeclared(name);
      const messages = [
        { role: 'system' as const, content: instruction },
        { role: 'user' as const, content: prompt },
      ];
      return (await calls.ask(toolEngine, { messages })).text;
    },
  };
}

/** Its calls were made on a queue without the limits of the model's provider. */
function undeclared(tool: string): Error {
  const message = `The tool ${tool} asks a language model but does not declare it. Set \`asksModel\` in its definition.`;
  return nonRetryable(FailureType.BadConfiguration, message);
}
