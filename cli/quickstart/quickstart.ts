import { describeUrls } from '../../infra/local/describe.js';
import type { CliContext } from '../context.js';
import { interruptSignal } from './interrupt.js';
import { openStack, type OpenStack } from './open-stack.js';
import { LiveView } from './live-view.js';
import { describeOtherRuns, runsBeside } from './other-runs.js';
import { jsonReport, textReport } from './report.js';
import { openScreen } from './screen.js';
import { loadConfig, startOrResume } from './start-or-resume.js';

export interface QuickstartOptions {
  config: string;
  steps?: number;
  seed?: number;
  json?: boolean;
  detach?: boolean;
}

type Say = (line: string) => void;

/**
 * One command from nothing to a trained planner: stack, submission, live view, report. Ctrl-C stops the stack; the
 * same command goes on where it was.
 */
export async function quickstart(context: CliContext, options: QuickstartOptions): Promise<void> {
  const config = await loadConfig(options);
  const interrupted = interruptSignal();
  const screen = openScreen(options.json ? context.note : context.print);
  const { say } = screen;
  const stack = await openStack({ say, signal: interrupted, detach: options.detach ?? false });
  try {
    say(`\n${describeUrls(stack.urls)}\n`);
    const { run, resumed } = await startOrResume(stack.client, config);
    say(resumed ? `Resuming ${run.id} at step ${run.step}.` : `Submitted ${run.id}.`);
    await showInBrowser(stack, run.id, say);
    for (const line of describeOtherRuns(run, await runsBeside(stack.client, run))) say(line);
    if (options.detach) return say(`Watch it with: npx agentflow runs watch ${run.id}`);
    const view = new LiveView(stack.client, run, screen);
    await view.follow(interrupted);
    if (interrupted.aborted) return say('Interrupted. The same command continues the run.');
    await finish(context, options, stack, run.id, resumed);
    if (!options.json && process.stdout.isTTY) await stayUp(stack, run.id, say, interrupted);
  } finally {
    await stack.close();
  }
}

async function finish(
  context: CliContext,
  { json }: QuickstartOptions,
  { client }: OpenStack,
  id: string,
  resumed: boolean,
): Promise<void> {
  const [run, steps, evaluations, checkpoints] = await Promise.all([
    client.getRun(id),
    client.listSteps(id),
    client.listEvaluations(id),
    client.listCheckpoints(id),
  ]);
  const outcome = { run, steps, evaluations, checkpoints, resumed };
  (json ? context.note : context.print)(textReport(outcome));
  if (json) context.print(JSON.stringify(jsonReport(outcome)));
  if (run.status !== 'completed') context.setExitCode(1);
}

/** The link works once and not for long, so it is another one each time. */
async function showInBrowser({ client }: OpenStack, runId: string, say: Say): Promise<void> {
  const { url } = await client.createSignInLink(`/runs/${runId}`);
  say(`See it in a browser: ${url}\n(the link works once, for ten minutes; "npx agentflow dashboard" prints another)`);
}

async function stayUp(stack: OpenStack, runId: string, say: Say, signal: AbortSignal): Promise<void> {
  say('\nThe stack stays up for you to look around. Ctrl-C stops it.');
  await showInBrowser(stack, runId, say);
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
}
