// Makes a fresh clone ready to run: plain Node, because nothing is installed yet. Every step is skipped when done.
import { pathToFileURL } from 'node:url';
import { baseModel } from './setup/base-model.mjs';
import { build } from './setup/build.mjs';
import { SetupError } from './setup/command.mjs';
import { withSetupLock } from './setup/lock.mjs';
import { nodePackages } from './setup/node-packages.mjs';
import { pythonPackages } from './setup/python-packages.mjs';
import { pythonSandbox } from './setup/python-sandbox.mjs';
import { runSteps } from './setup/steps.mjs';
import { temporal } from './setup/temporal.mjs';

const OLDEST_NODE = [20, 19];
/** The longest first: what several can run beside, begins. */
const STEPS = [temporal, pythonPackages, nodePackages, pythonSandbox, build, baseModel];

/** Runs the steps that are not done yet. @throws SetupError */
export async function bootstrap() {
  checkNode();
  if (STEPS.every((step) => step.isDone())) return;
  await withSetupLock(() => runSteps(STEPS));
}

/** Runs the set-up and exits with 1, after its message, if a step fails. */
export async function bootstrapOrExit() {
  try {
    await bootstrap();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(
    `Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.version}. See https://nodejs.org`,
  );
}

/** Which steps are done, for `agentflow doctor`. */
function printSteps() {
  console.log(JSON.stringify(STEPS.map((step) => ({ title: step.title, done: step.isDone() }))));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv[2] === '--check') printSteps();
  else await bootstrapOrExit();
}
