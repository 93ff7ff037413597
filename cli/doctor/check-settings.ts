import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environmentSchema, readEnvironment, type EnvironmentName } from '../../infra/config/environment.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { nearest } from '../../infra/config/submitted/nearest.js';
import { requireUsableData } from '../../infra/local/data-directory.js';
import { PORT_SETTINGS, type StackOptions } from '../../infra/local/stack-options.js';
import { ok, problem, warning, type Finding } from './finding.js';

/** A step of set-up, as `bootstrap.mjs --check` tells of it. */
interface Step {
  title: string;
  done: boolean;
}

/** Letters by which the name of a variable that nothing reads may differ from one that was meant. */
const SLIPS = 2;

/** What set-up has made: Node and Python packages, the Temporal server, the build, the base model. */
export async function checkSetUp(): Promise<Finding[]> {
  const steps = await setUpSteps();
  const missing = steps.filter(({ done }) => !done).map(({ title }) => title);
  if (missing.length === 0) return [ok('set-up', `Node ${process.versions.node}, all ${steps.length} steps are done`)];
  return [problem('set-up', `not done, or older than the sources: ${missing.join(', ')}`, 'npm run setup')];
}

async function setUpSteps(): Promise<Step[]> {
  const program = join(PROJECT_ROOT, 'infra/local/bootstrap.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--check']);
  return JSON.parse(stdout) as Step[];
}

/**
 * A variable with a value that no process would accept, and one that is nearly the name of another. That nothing reads a
 * variable is not told: the Python workers have more, and users have their own.
 */
export function checkEnvironment(env: NodeJS.ProcessEnv = process.env): Finding[] {
  const names = Object.keys(environmentSchema.shape) as EnvironmentName[];
  const ports = Object.values(PORT_SETTINGS).map(({ variable }) => variable);
  const known = [...names, ...ports];
  const findings = [
    // What is a port for the stack, 0 included, is read with the stack's options.
    ...names.filter((name) => env[name] && !ports.includes(name)).flatMap((name) => refusal(name, env)),
    ...Object.keys(env)
      .filter((name) => name.startsWith('AGENTFLOW_'))
      .flatMap((name) => slip(name, known)),
  ];
  return findings.length > 0 ? findings : [ok('environment', 'no variable with a bad value or a misspelt name')];
}

function refusal(name: EnvironmentName, env: NodeJS.ProcessEnv): Finding[] {
  try {
    readEnvironment([name], env);
    return [];
  } catch (error) {
    return [problem('environment', (error as Error).message.replace(/\s+/g, ' '), `unset ${name}`)];
  }
}

function slip(name: string, known: string[]): Finding[] {
  if (known.includes(name)) return [];
  const meant = nearest(name.toLowerCase(), known.map(lower), () => SLIPS)?.toUpperCase();
  if (meant === undefined) return [];
  return [warning('environment', `${name} is not a setting; did you mean ${meant}?`, `unset ${name}`)];
}

const lower = (name: string): string => name.toLowerCase();

/** The operator's file, as API and agent workers read it. */
export function checkOperatorFile(env: NodeJS.ProcessEnv = process.env): Finding[] {
  const { AGENTFLOW_OPERATOR_FILE: file } = readEnvironment(['AGENTFLOW_OPERATOR_FILE'], env);
  loadOperatorFile(file);
  return [ok('operator file', file)];
}

export function checkDataDirectory({ dataDirectory }: StackOptions): Finding[] {
  requireUsableData(dataDirectory);
  return [ok('data directory', dataDirectory)];
}
