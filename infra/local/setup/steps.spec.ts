import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identify } from '../process-identity.js';

const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agentflow-steps-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs steps, given as lines of JavaScript, in a process of their own. Their commands work in the directory. */
function runSteps(body: string): { code: number | null; output: string } {
  const program = `
    import { existsSync } from 'node:fs';
    import { run, SetupError } from ${module('./command.mjs')};
    import { runSteps } from ${module('./steps.mjs')};
    const sh = (what, script) => run(what, '/bin/sh', ['-c', script], { cwd: ${JSON.stringify(directory)} });
    const step = (title, needs, script) => ({ title, needs, isDone: () => script === '', run: () => sh(title, script) });
    const until = (file) => \`until [ -e \${file} ]; do sleep 0.05; done\`;
    try { ${body} } catch (error) {
      console.log(error instanceof SetupError ? error.message : error.stack);
      process.exitCode = 1;
    }`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  return { code: status, output: stdout + stderr };
}

describe('the steps of the set-up', () => {
  it('run at once if they need nothing of each other: each of these waits for the other', () => {
    const { code, output } = runSteps(`
      await runSteps([
        step('One', [], 'touch one; ' + until('two')),
        step('Two', [], 'touch two; ' + until('one')),
        step('Three', [], ''),
      ]);`);
    expect(code).toBe(0);
    expect(output).toMatch(/^\[1\/3\] One$[^]*^\[3\/3\] Three: in place$[^]*^ {2}(One|Two): \d+ s$/m);
  });

  it('wait for what they need, which is looked at only then', () => {
    const { code, output } = runSteps(`
      const first = step('First', [], 'sleep 0.2; touch first');
      const second = { ...step('Second', [first], 'ls first'), isDone: () => !existsSync('${join(directory, 'first')}') };
      await runSteps([second, first]);`);
    expect(code).toBe(0);
    expect(output).toMatch(/^ {2}First: \d+ s\n\[1\/2\] Second\n {2}Second \.\.\.\n {2}Second: \d+ s$/m);
  });

  it('stop when one fails: its output and why, no command goes on, and none begins', () => {
    const { code, output } = runSteps(`
      const failing = step('Failing', [], until('pid') + '; echo the cause; exit 7');
      const long = step('Long', [], 'echo $$ > pid.new; mv pid.new pid; exec sleep 600');
      await runSteps([long, failing, step('Never', [failing], 'touch never'), step('Nor this', [long], 'touch never')]);`);
    expect(code).toBe(1);
    expect(output).toMatch(/^ {2}Long: stopped after \d+ s\nthe cause\nFailing failed: .* ended with exit code 7\.$/m);
    expect(identify(Number(readFileSync(join(directory, 'pid'), 'utf8')))).toBeUndefined();
    expect(existsSync(join(directory, 'never'))).toBe(false);
  });
});
