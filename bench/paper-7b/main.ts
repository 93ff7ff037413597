import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { ApiClient } from '../../cli/client/api-client.js';
import { locateApi } from '../../cli/client/locate-api.js';
import { reportMarkdown, reportText } from '../../cli/output/evaluation-report.js';
import { interruptSignal } from '../../cli/quickstart/interrupt.js';
import { openStack } from '../../cli/quickstart/open-stack.js';
import { openScreen } from '../../cli/quickstart/screen.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { needsOf } from './needs.js';
import { describePlan } from './plan.js';
import { readExperiment, type Experiment, type Stage } from './stages.js';
import { findSubmitted, runEvaluation, runTraining, type Runs } from './submitted.js';

const options = new Command('experiment:paper-7b')
  .description("The paper's experiment, stage by stage. Repeated, it goes on where it was interrupted.")
  .option('--stages <file>', 'what it consists of', join(PROJECT_ROOT, 'examples/paper/stages.yaml'))
  .option('--plan', 'run nothing: say what it will do, need and cost', false)
  .option('--results <directory>', 'where the table of each evaluation is written', 'paper-7b-results')
  .parse()
  .opts<{ stages: string; plan: boolean; results: string }>();

const screen = openScreen((line) => void process.stdout.write(`${line}\n`));
const { say } = screen;

try {
  const experiment = await readExperiment(options.stages, process.env['AGENTFLOW_OPERATOR_FILE'] || undefined);
  // Every process of a stack that is started here reads the same file.
  process.env['AGENTFLOW_OPERATOR_FILE'] = experiment.operatorFile;
  await (options.plan ? plan(experiment) : run(experiment));
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}

async function plan(planned: Experiment): Promise<void> {
  const states = await statesOf(planned.stages);
  const needs = await needsOf(planned.stages, planned.operator, process.env);
  for (const line of describePlan(planned, needs, (stage) => states.get(stage.name) ?? 'not submitted')) say(line);
}

/** By name of the stage, as far as a service answers that knows. */
async function statesOf(stages: readonly Stage[]): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  try {
    const client = new ApiClient(await locateApi());
    const runs: Runs = new Map();
    for (const stage of stages) {
      const submitted = await findSubmitted(client, stage, runs);
      if (!submitted) continue;
      states.set(stage.name, `${submitted.id}, ${submitted.status}`);
      if (stage.kind === 'run') runs.set(stage.name, submitted.id);
    }
  } catch (error) {
    say(`What was submitted before is not known: ${(error as Error).message}`);
  }
  return states;
}

async function run({ stages }: Experiment): Promise<void> {
  const interrupted = interruptSignal();
  const stack = await openStack({ say, signal: interrupted, detach: false });
  const runs: Runs = new Map();
  try {
    for (const [index, stage] of stages.entries()) {
      say(`\n${index + 1} of ${stages.length}: ${stage.name}`);
      if (stage.kind === 'run') {
        runs.set(stage.name, (await runTraining(stack.client, stage, screen, interrupted)).id);
        continue;
      }
      const { report } = await runEvaluation(stack.client, stage, runs, screen, interrupted);
      if (!report) throw new Error(`The evaluation of the stage ${stage.name} has no report.`);
      say(reportText(report));
      await mkdir(options.results, { recursive: true });
      await writeFile(join(options.results, `${stage.name}.md`), reportMarkdown(report));
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
    say('Interrupted. The same command goes on where it was.');
  } finally {
    await stack.close();
  }
}
