import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliError } from '../cli-error.js';
import { loadConfig } from './start-or-resume.js';

describe(loadConfig, () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'agentflow-quickstart-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const write = (text: string): string => {
    const file = join(directory, 'run.yaml');
    writeFileSync(file, text);
    return file;
  };

  it('takes the steps and the seed of the command line', async () => {
    const config = await loadConfig({ config: 'examples/quickstart.yaml', steps: 3, seed: 5 });
    expect(config).toMatchObject({ steps: 3, seed: 5 });
  });

  it.each([
    ['is not there', () => join(directory, 'nowhere.yaml'), /nowhere\.yaml cannot be read: ENOENT/],
    ['is no YAML', () => write('steps: ['), /run\.yaml is not YAML that can be accepted/],
    ['is no mapping', () => write('- 1'), /run\.yaml must hold a mapping/],
  ])('says so, without a trace of calls, where the file %s', async (_, config, message) => {
    const error = await loadConfig({ config: config() }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CliError);
    expect((error as Error).message).toMatch(message);
  });

  it('names the key that was meant', async () => {
    const config = write('steps: 1\ntraining: { querys_per_step: 8 }');
    await expect(loadConfig({ config })).rejects.toThrow('Did you mean "training.queries_per_step"?');
  });
});
