import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Rollout } from '../client/api-types.js';
import type { ApiClient } from '../client/api-client.js';
import { CliError } from '../cli-error.js';
import { formatTable, oneLine } from '../output/format.js';
import { partsOf, valueOf } from '../output/rollout-parts.js';
import { toolText } from './tool-text.js';

/** Of a text of a turn, and of a question in a list. */
const LONGEST = { text: 2_000, question: 80 };

const INPUT = {
  rollout: z.string().max(512).optional().describe('Id of a rollout that is shown turn by turn, as run-abc/3/0/1.'),
  run: z.string().max(512).optional().describe('Id of a run whose rollouts of a step are listed.'),
  step: z.number().int().min(0).optional().describe('With `run`: the step whose rollouts are listed.'),
};
type Looking = z.infer<z.ZodObject<typeof INPUT>>;

export function registerRollout(server: McpServer, client: () => Promise<ApiClient>): void {
  server.registerTool(
    'rollout',
    {
      description:
        'Shows a rollout turn by turn: plan, tool call, result, verdict, then answer, reward and advantage. With `run` and `step` it ' +
        'lists the rollouts of a training step with their ids.',
      inputSchema: INPUT,
      annotations: { title: 'Rollouts', readOnlyHint: true, openWorldHint: false },
    },
    async (looking) => show(await client(), looking),
  );
}

async function show(client: ApiClient, { rollout, run, step }: Looking): Promise<CallToolResult> {
  if (rollout !== undefined) return toolText(describeRollout(await client.getRollout(rollout)));
  if (run === undefined || step === undefined) throw new CliError('Give a `rollout`, or a `run` and a `step`.');
  const rollouts = await client.listRollouts({ run_id: run, step });
  if (rollouts.length === 0) return toolText(`${run} has no rollouts of step ${step}.`);
  const rows = rollouts.map((one) => [
    one.id,
    one.outcome,
    valueOf(one.reward),
    valueOf(one.advantage),
    oneLine(one.question, LONGEST.question),
  ]);
  return toolText(formatTable(['ROLLOUT', 'OUTCOME', 'REWARD', 'ADVANTAGE', 'QUESTION'], rows).join('\n'));
}

function describeRollout(rollout: Rollout): string {
  const lines: string[] = [];
  let turn: number | undefined;
  for (const part of partsOf(rollout)) {
    if (part.turn !== undefined && part.turn !== turn) lines.push(`turn ${part.turn}`);
    turn = part.turn;
    lines.push(`${turn === undefined ? '' : '  '}${part.name}: ${oneLine(part.text, LONGEST.text)}`);
  }
  return lines.join('\n');
}
