import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createContext } from './context.js';
import { createProgram } from './program.js';

it('a dry run prints what the Python package estimates of the quickstart', async () => {
  const lines: string[] = [];
  const exitCodes: number[] = [];
  const program = createProgram({
    ...createContext(),
    print: (line) => void lines.push(line),
    setExitCode: (code) => void exitCodes.push(code),
  });
  const args = ['train', join(PROJECT_ROOT, 'examples/quickstart.yaml'), '--dry-run', '--device-gib', '0.5'];
  await program.parseAsync(args, { from: 'user' });
  expect(lines.find((line) => line.startsWith('# base weights'))).toMatch(/0\.50 GiB {2}0\.13 billion, fp32, frozen$/);
  expect(lines.find((line) => line.startsWith('# total'))).toMatch(/DOES NOT FIT in 0\.50 GiB \(as given\)$/);
  expect(exitCodes).toEqual([1]);
}, 120_000);
