import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { AgentFlow, QuestionInput } from '../client/api-types.js';
import type { ApiClient } from '../client/api-client.js';
import { CliError } from '../cli-error.js';
import { describeFlowEvent } from '../output/describe-flow-event.js';
import { readQuestion } from '../solve/read-question.js';
import { toolText } from './tool-text.js';
import { waiting, type Extra, type Waiting } from './waiting.js';

const INPUT = {
  question: z.string().min(1).max(20_000).optional().describe('What is asked. Not with `flow`.'),
  flow: z.string().max(512).optional().describe('Id of a question that was asked before: waits for its answer.'),
  policy: z
    .string()
    .max(512)
    .optional()
    .describe('The trained planner, as run-abc@24. Without it the untrained model.'),
  scripted: z
    .boolean()
    .optional()
    .describe('True: the scripted planner plans, which knows the questions of the atlas.'),
  max_turns: z.number().int().min(1).max(50).optional().describe('Turns at most.'),
};
type Asking = z.infer<z.ZodObject<typeof INPUT>>;

export function registerAsk(server: McpServer, client: () => Promise<ApiClient>): void {
  const description =
    'Asks an agent a question and waits for the answer: it plans with a trained policy, calls tools, verifies, and ' +
    'answers. If the answer takes longer than a call may wait, the result has the id of the flow to wait for again.';
  server.registerTool(
    'ask',
    {
      description,
      inputSchema: INPUT,
      annotations: { title: 'Ask a question', readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    async (asking, extra) => ask(await client(), asking, extra),
  );
}

async function ask(client: ApiClient, asking: Asking, extra: Extra): Promise<CallToolResult> {
  if ((asking.question === undefined) === (asking.flow === undefined)) {
    throw new CliError('Give a `question`, or a `flow` that was asked before: one of the two.');
  }
  const id = asking.flow ?? (await client.ask(await questionOf(asking))).id;
  await waiting(extra, (call) => follow(client, id, call));
  const flow = await client.getFlow(id);
  const result = toolText(described(flow));
  return flow.status === 'failed' ? { ...result, isError: true } : result;
}

async function questionOf({ question = '', policy, scripted, max_turns }: Asking): Promise<QuestionInput> {
  if (policy !== undefined && scripted) throw new CliError('Give `policy` or `scripted`, not both.');
  const asked = await readQuestion(question, { policy, maxTurns: max_turns });
  return scripted ? { ...asked, flow: { ...asked.flow, planner: { engine: 'scripted' } } } : asked;
}

/** Tells what happens until the flow ends or rests, or the call must not wait any longer. */
async function follow(client: ApiClient, id: string, call: Waiting): Promise<void> {
  for await (const event of client.followFlow(id, { signal: call.signal })) {
    for (const line of describeFlowEvent(event)) call.tell(line);
    if (event.type === 'flow.paused') return;
  }
}

function described({ id, status, answer, outcome, turns, failure }: AgentFlow): string {
  const lines = [
    answer === null ? undefined : `Answer: ${answer}`,
    `flow: ${id}, ${status}${outcome ? `, ${outcome}` : ''}${turns === null ? '' : `, ${turns} turns`}`,
    failure ? `${failure.type}: ${failure.message}` : undefined,
    status === 'queued' || status === 'running'
      ? `It has not ended yet. Call this tool with flow="${id}" to wait for it.`
      : undefined,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}
