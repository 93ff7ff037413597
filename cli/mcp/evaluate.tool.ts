import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import type { BenchmarkEvaluation } from '../client/api-types.js';
import type { ApiClient } from '../client/api-client.js';
import { CliError } from '../cli-error.js';
import { reportText } from '../output/evaluation-report.js';
import { readConfiguration } from '../submission.js';
import { toolText } from './tool-text.js';
import { waiting, type Extra, type Waiting } from './waiting.js';

const EXAMPLE = join(PROJECT_ROOT, 'examples/evaluation.yaml');
const POLL_MS = 1_000;

const INPUT = {
  policies: z
    .array(z.string().max(512))
    .min(1)
    .max(20)
    .optional()
    .describe('What plans: policies as run-abc@24, or `base`, the untrained model. Not with `evaluation`.'),
  benchmark: z.string().max(100).optional().describe('A registered dataset; without it `atlas`.'),
  questions: z.number().int().min(1).max(100_000).optional().describe('The first so many questions; without it 200.'),
  evaluation: z.string().max(512).optional().describe('Id of one that was started before: waits for its report.'),
};
type Evaluating = z.infer<z.ZodObject<typeof INPUT>>;

export function registerEvaluate(server: McpServer, client: () => Promise<ApiClient>): void {
  const description =
    'Evaluates policies on a benchmark and waits for the report: accuracies with 95 % intervals, and comparisons. If it ' +
    'takes longer than a call may wait, the result has the id of the evaluation to wait for again.';
  server.registerTool(
    'evaluate',
    {
      description,
      inputSchema: INPUT,
      annotations: { title: 'Evaluate policies', readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    async (evaluating, extra) => evaluate(await client(), evaluating, extra),
  );
}

async function evaluate(client: ApiClient, evaluating: Evaluating, extra: Extra): Promise<CallToolResult> {
  if ((evaluating.policies === undefined) === (evaluating.evaluation === undefined)) {
    throw new CliError('Give `policies`, or an `evaluation` that was started before: one of the two.');
  }
  const id = evaluating.evaluation ?? (await submit(client, evaluating)).id;
  const evaluation = await waiting(extra, (call) => follow(client, id, call));
  return evaluation.status === 'failed'
    ? { ...toolText(described(evaluation)), isError: true }
    : toolText(described(evaluation));
}

async function submit(client: ApiClient, { policies, benchmark, questions }: Evaluating): Promise<BenchmarkEvaluation> {
  const example = await readConfiguration(EXAMPLE, { set: [] });
  const benchmarks = [{ name: benchmark ?? 'atlas', questions: questions ?? 200 }];
  const body = JSON.stringify({ ...example, policies, benchmarks });
  return client.createEvaluation({ body, contentType: 'application/json' });
}

/** Tells how many questions have been asked until it ends or rests, or the call must not wait any longer. */
async function follow(client: ApiClient, id: string, call: Waiting): Promise<BenchmarkEvaluation> {
  for (;;) {
    const evaluation = await client.getEvaluation(id);
    const open = evaluation.status === 'queued' || evaluation.status === 'running';
    if (!open || call.signal.aborted) return evaluation;
    call.tell(`${evaluation.status}: ${evaluation.flows} questions have been answered`);
    await sleep(POLL_MS, undefined, { signal: call.signal }).catch(() => undefined);
  }
}

function described({ id, status, flows, report, failure }: BenchmarkEvaluation): string {
  const open = status === 'queued' || status === 'running';
  const lines = [
    `${id}: ${status}, ${flows} questions answered`,
    failure ? `${failure.type}: ${failure.message}` : undefined,
    report ? reportText(report) : undefined,
    open ? `It has not ended yet. Call this tool with evaluation="${id}" to wait for it.` : undefined,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}
