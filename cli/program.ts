import { Command } from 'commander';
import { registerAudit } from './commands/audit.command.js';
import { registerCheckpoints } from './commands/checkpoints.command.js';
import { registerDashboard } from './commands/dashboard.command.js';
import { registerData } from './commands/data.command.js';
import { registerDatasets } from './commands/datasets/datasets.command.js';
import { registerEval } from './commands/eval.command.js';
import { registerDecide } from './commands/decide.command.js';
import { registerExport } from './commands/export.command.js';
import { registerExports } from './commands/exports/exports.command.js';
import { registerMcp } from './commands/mcp.command.js';
import { registerKeys } from './commands/keys/keys.command.js';
import { registerPassages } from './commands/passages.command.js';
import { registerProjects } from './commands/projects/projects.command.js';
import { registerPolicies } from './commands/policies.command.js';
import { registerRollouts } from './commands/rollouts/rollouts.command.js';
import { registerRuns } from './commands/runs/runs.command.js';
import { registerSolve } from './commands/solve.command.js';
import { registerSteps } from './commands/steps.command.js';
import { registerStack } from './commands/stack.command.js';
import { registerTrain } from './commands/train.command.js';
import { registerUsage } from './commands/usage.command.js';
import { registerWebhooks } from './commands/webhooks/webhooks.command.js';
import { registerCompletion } from './completion/completion.command.js';
import { registerDoctor } from './doctor/doctor.command.js';
import { registerQuickstart } from './quickstart/quickstart.command.js';
import type { CliContext } from './context.js';
import { addExamples } from './examples.js';

/** Adds one command to the program. */
export type RegisterCommand = (program: Command, context: CliContext) => void;

/** Every command of `agentflow`; a new one is added here. */
const COMMANDS: RegisterCommand[] = [
  registerQuickstart,
  registerTrain,
  registerSolve,
  registerEval,
  registerRuns,
  registerSteps,
  registerRollouts,
  registerPolicies,
  registerDatasets,
  registerPassages,
  registerDecide,
  registerCheckpoints,
  registerExport,
  registerExports,
  registerKeys,
  registerProjects,
  registerUsage,
  registerAudit,
  registerWebhooks,
  registerMcp,
  registerData,
  registerStack,
  registerDashboard,
  registerDoctor,
  registerCompletion,
];

/** @returns the program, which throws CommanderError after its help or a wrong argument was shown */
export function createProgram(context: CliContext, commands = COMMANDS): Command {
  const program = new Command('agentflow')
    .description('Train language models to plan, in durable runs, and ask them.')
    .exitOverride() // the process ends by itself: an output that is refused is told
    .enablePositionalOptions() // an option belongs to the command that it follows
    .showHelpAfterError('(--help lists the commands and options)')
    .addHelpText(
      'after',
      '\nThe API and its key come from AGENTFLOW_API_URL and AGENTFLOW_API_KEY, or from the local stack (npm run up).',
    );
  for (const register of commands) register(program, context);
  addExamples(program);
  return program;
}
