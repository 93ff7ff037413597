import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { TrainingRun, TrainingStep } from '../client/api-types.js';
import type { ApiClient } from '../client/api-client.js';
import { formatFraction, formatNumber, formatTable, oneLine } from '../output/format.js';
import { toolText } from './tool-text.js';

/** The last so many steps and evaluations of a run are shown. */
const LAST = 20;

const INPUT = {
  run: z.string().max(512).optional().describe('Id of a run that is shown with its steps. Without it runs are listed.'),
  limit: z.number().int().min(1).max(100).optional().describe('Runs of the list at most; without it 20.'),
  after: z.string().max(512).optional().describe('Id of the run after which the list goes on.'),
};
type Looking = z.infer<z.ZodObject<typeof INPUT>>;

export function registerRuns(server: McpServer, client: () => Promise<ApiClient>): void {
  server.registerTool(
    'runs',
    {
      description:
        'Lists training runs, newest first, or shows one: its status, the last steps with reward and loss, and its evaluations.',
      inputSchema: INPUT,
      annotations: { title: 'Training runs', readOnlyHint: true, openWorldHint: false },
    },
    async (looking) => show(await client(), looking),
  );
}

async function show(client: ApiClient, { run, limit = 20, after }: Looking): Promise<CallToolResult> {
  if (run !== undefined) return toolText(await describeRun(client, run));
  const page = await client.listRuns({ limit, after });
  if (page.data.length === 0) return toolText('There are no training runs.');
  const rows = page.data.map(({ id, status, step, steps, model, name }) => {
    return [id, status, `${step}/${steps}`, model, oneLine(name, 60)];
  });
  const more = page.has_more ? [`There are more: call this tool with after="${page.last_id}".`] : [];
  return toolText([...formatTable(['RUN', 'STATUS', 'STEP', 'MODEL', 'NAME'], rows), ...more].join('\n'));
}

async function describeRun(client: ApiClient, id: string): Promise<string> {
  const run = await client.getRun(id);
  const [steps, evaluations] = await Promise.all([client.listSteps(id), client.listEvaluations(id)]);
  const evaluated = evaluations.slice(-LAST).map((one) => {
    return [String(one.step), one.planner, formatFraction(one.accuracy), `${one.correct}/${one.questions}`];
  });
  return [
    ...facts(run),
    '',
    ...formatTable(['STEP', 'REWARD', 'LOSS', 'ENTROPY'], steps.slice(-LAST).map(stepRow)),
    '',
    ...formatTable(['AFTER STEP', 'PLANNER', 'ACCURACY', 'CORRECT'], evaluated),
  ].join('\n');
}

function facts({ id, name, status, step, steps, model, policy, failure }: TrainingRun): string[] {
  return [
    `${id}: ${status}, step ${step} of ${steps}`,
    `name: ${oneLine(name)}; model: ${model}; policy: ${policy ?? 'none yet'}`,
    ...(failure ? [`${failure.type}: ${failure.message}`] : []),
  ];
}

function stepRow({ step, metrics }: TrainingStep): string[] {
  const figures = ['reward_mean', 'loss', 'entropy'].map((name) => metrics[name]);
  return [String(step), ...figures.map((value) => (typeof value === 'number' ? formatNumber(value) : '-'))];
}
