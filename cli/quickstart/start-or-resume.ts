import { isAbsolute, join } from 'node:path';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { runConfigSchema, type RunConfig } from '../../contracts/run-config.js';
import { describeIssues, listIssues } from '../../infra/config/submitted/config-issues.js';
import { WORKFLOW_LOST } from '../../contracts/failures.js';
import type { TrainingRun } from '../client/api-types.js';
import { CliError } from '../cli-error.js';
import type { ApiClient } from '../client/api-client.js';
import { readConfiguration } from '../submission.js';

const UNFINISHED: readonly TrainingRun['status'][] = ['queued', 'running', 'pausing', 'paused'];

/**
 * The effective configuration: the file's, with the steps and the seed of the command line.
 * @throws CliError with everything that is wrong, before a stack is started for it
 */
export async function loadConfig(options: { config: string; steps?: number; seed?: number }): Promise<RunConfig> {
  const path = isAbsolute(options.config) ? options.config : join(PROJECT_ROOT, options.config);
  const { steps, seed } = options;
  const value = {
    ...(await readConfiguration(path, { set: [] })),
    ...(steps !== undefined && { steps }),
    ...(seed !== undefined && { seed }),
  };
  const parsed = runConfigSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const { issues, more } = describeIssues({ schema: runConfigSchema, value }, parsed.error.issues);
  throw new CliError(`${path} cannot be accepted:\n${listIssues(issues, more).lines}`);
}

/**
 * The newest unfinished run of the same effective configuration goes on, with more steps where more are asked for; so does
 * one whose workflow in Temporal is gone. Where there is none, a new run is submitted.
 */
export async function startOrResume(
  client: ApiClient,
  config: RunConfig,
): Promise<{ run: TrainingRun; resumed: boolean }> {
  const found = await findUnfinished(client, config);
  if (!found) {
    const body = JSON.stringify(config);
    return { run: await client.createRun({ body, contentType: 'application/json' }), resumed: false };
  }
  // Nothing happens where its workflow is open. Where it is gone, nobody would resume.
  await client.act(found.id, 'revive');
  if (config.steps > found.steps) await client.extend(found.id, config.steps);
  if (found.status === 'paused' || found.status === 'pausing') await client.resume(found.id);
  return { run: await client.getRun(found.id), resumed: true };
}

async function findUnfinished(client: ApiClient, config: RunConfig): Promise<TrainingRun | undefined> {
  const wanted = canonicalJson({ ...config, steps: 0 });
  const { data } = await client.listRuns({ limit: 100 });
  return data.find(
    (run) =>
      (UNFINISHED.includes(run.status) || (run.status === 'failed' && run.failure?.type === WORKFLOW_LOST)) &&
      run.steps <= config.steps &&
      canonicalJson({ ...run.config, steps: 0 }) === wanted,
  );
}
