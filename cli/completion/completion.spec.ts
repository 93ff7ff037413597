import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../testing/test-cli.js';

const NO_API = { url: 'http://127.0.0.1:1', key: 'af-none' };

/** What bash would offer for a line that is typed, the last word being the one under way. */
describe('the completion script of bash', () => {
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'completion-'));
    const { lines } = await runCli(NO_API, 'completion', 'bash');
    writeFileSync(join(directory, 'agentflow.bash'), lines.join('\n'));
  });

  function offered(...words: string[]): string[] {
    const program = `
      set -u
      source agentflow.bash
      source agentflow.bash # a second time, as a shell that reads its start file again does
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _agentflow_completion
      printf '%s\\n' "\${COMPREPLY[@]-}"`;
    const output = execFileSync('bash', ['-c', program, 'bash', ...words], { cwd: directory, encoding: 'utf8' });
    return output.trim().split('\n').filter(Boolean);
  }

  it.each([
    [['agentflow', 'ru'], ['runs']],
    [['agentflow', 'runs', 'wat'], ['watch']],
    [['agentflow', 'runs', 'list', '--lim'], ['--limit']],
    [['agentflow', 'runs', 'list', '--limit', ''], []],
    [
      ['agentflow', 'completion', ''],
      ['bash', 'zsh', 'fish', '--help'],
    ],
    [['agentflow', 'no-such-command', '--js'], []],
    [['agentflow', 'runs', 'list', 'x y', '*', '--js'], ['--json']],
  ])('%j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it('runs nothing of what is typed', () => {
    for (const hostile of ['$(touch hit)', '`touch hit`', '"; touch hit; "', "'; touch hit; '", '<(touch hit)']) {
      expect(offered('agentflow', 'solve', hostile, '--pol')).toEqual(['--policy']);
      expect(offered('agentflow', 'runs', hostile)).toEqual([]);
    }
    expect(existsSync(join(directory, 'hit'))).toBe(false);
  });
});

describe('the completion scripts', () => {
  it.each(['bash', 'zsh', 'fish'])('of %s names every command that the help shows', async (shell) => {
    const script = (await runCli(NO_API, 'completion', shell)).lines.join('\n');
    for (const command of ['quickstart', 'train', 'learning-rate', 'doctor', 'completion']) {
      expect(script).toContain(command);
    }
  });

  it('quote what a description holds for fish', async () => {
    const script = (await runCli(NO_API, 'completion', 'fish')).lines.join('\n');
    const withoutEscapes = script.replace(/\\./g, '');
    for (const line of withoutEscapes.split('\n').filter((text) => text.startsWith('complete'))) {
      expect(line.split("'").length % 2).toBe(1);
    }
  });
});
