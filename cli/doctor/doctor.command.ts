import type { Command } from 'commander';
import { stackOptionsFromEnvironment, type StackOptions } from '../../infra/local/stack-options.js';
import { findSupervisor } from '../../infra/local/supervision.js';
import { locateApi } from '../client/locate-api.js';
import type { CliContext } from '../context.js';
import { printJson } from '../output/print-run.js';
import { checkClock, checkDisk, checkGpu, checkMemory } from './check-machine.js';
import { checkDataDirectory, checkEnvironment, checkOperatorFile, checkSetUp } from './check-settings.js';
import { checkApi, checkPolicyServer, checkPorts, checkProcesses } from './check-stack.js';
import { problem, type Check, type Finding } from './finding.js';

const MARKS = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' };

export function registerDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('Look at the machine, the settings and every part of the stack; say what is wrong and what mends it.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code: 0 if there is no problem, 1 if there is one. Warnings do not count.')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      const problems = findings.filter(({ state }) => state === 'problem').length;
      if (json) printJson(context, { object: 'doctor', problems, findings });
      else for (const line of describeFindings(findings)) context.print(line);
      context.setExitCode(problems > 0 ? 1 : 0);
    });
}

async function examine(): Promise<Finding[]> {
  const settings = [await run('environment', checkEnvironment), await run('set-up', checkSetUp)].flat();
  const options = optionsOf();
  if ('state' in options) return [...settings, options];
  const isSetUp = settings.every(({ part, state }) => part !== 'set-up' || state === 'ok');
  const isRunning = isSupervised(options);
  const checks: [string, Check][] = [
    ['operator file', checkOperatorFile],
    ['data directory', () => checkDataDirectory(options)],
    ['disk', () => checkDisk(options, isSetUp)],
    ['memory', () => checkMemory(isRunning)],
    ['gpu', checkGpu],
    ['clock', () => checkClock(options)],
    ['stack', () => checkProcesses(options)],
    ['ports', () => checkPorts(options)],
    // Without a stack of its own, and without an address of another, there is no API to look for.
    ...(isRunning || process.env['AGENTFLOW_API_URL']
      ? ([
          ['API', () => checkApi(locateApi)],
          ['policy server', () => checkPolicyServer(options)],
        ] as [string, Check][])
      : []),
  ];
  return [...settings, ...(await Promise.all(checks.map(([part, check]) => run(part, check)))).flat()];
}

/** What a check throws is what is wrong. */
async function run(part: string, check: Check): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    return [problem(part, (error as Error).message)];
  }
}

function optionsOf(): StackOptions | Finding {
  try {
    return stackOptionsFromEnvironment();
  } catch (error) {
    return problem('settings', (error as Error).message);
  }
}

/** A directory that cannot be looked at has a finding of its own. */
function isSupervised({ dataDirectory }: StackOptions): boolean {
  try {
    return findSupervisor(dataDirectory) !== undefined;
  } catch {
    return false;
  }
}

/** A line a finding, and one below it with what mends it. */
export function describeFindings(findings: readonly Finding[]): string[] {
  const widest = Math.max(...findings.map(({ part }) => part.length));
  const lines = findings.flatMap(({ part, state, message, command }) => [
    `${MARKS[state].padEnd(8)} ${part.padEnd(widest)}  ${message}`,
    ...(command ? [`${' '.repeat(8)} ${' '.repeat(widest)}  mend it: ${command}`] : []),
  ]);
  const [problems, warnings] = (['problem', 'warning'] as const).map(
    (state) => findings.filter((finding) => finding.state === state).length,
  );
  return [...lines, `${problems} problems, ${warnings} warnings.`];
}
