import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { flowSchema } from '../../contracts/flow-config.js';
import { createTools } from '../tools/index.js';
import { modulePrompts } from './module-identity.js';

const MODULES = {
  query_analysis: 'query-analysis',
  executor: 'executor',
  verifier: 'verifier',
  generator: 'generator',
};
const tools = createTools().select(['calculator', 'lookup']);

function flow(prompt: 'full' | 'compact', names = Object.keys(MODULES)) {
  const bindings = names.map((name) => [name, { engine: 'llm', model: 'large', prompt }]);
  return flowSchema.parse({ ...Object.fromEntries(bindings), outputs: ['direct', 'final', 'base'] });
}

/** The lines of a module's templates that are the same in every prompt. */
function fixedLines(folder: string, prompt: string): string[] {
  const directory = new URL(`./${folder}/prompts/`, import.meta.url);
  const files = readdirSync(directory).filter((file) => file.startsWith(prompt));
  const lines = files.flatMap((file) => readFileSync(new URL(file, directory), 'utf8').split('\n'));
  return lines.filter((line) => line !== '' && !line.includes('{{') && !line.startsWith('==='));
}

describe(modulePrompts, () => {
  it.each(['full', 'compact'] as const)('I8: holds every line of the %s templates', (prompt) => {
    const texts = JSON.stringify(modulePrompts(flow(prompt), tools));
    const lines = Object.values(MODULES).flatMap((folder) => fixedLines(folder, prompt));
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(texts).toContain(JSON.stringify(line).slice(1, -1));
  });

  it('I8: changes with what is said of a tool', () => {
    const [first, second] = tools;
    const metadata = { ...second.metadata, limitations: ['It was changed.'] };
    const changed = [first, { ...second, metadata }];
    for (const module of ['query_analysis', 'executor', 'verifier']) {
      expect(modulePrompts(flow('full', [module]), changed)).not.toEqual(modulePrompts(flow('full', [module]), tools));
    }
  });

  it('holds nothing of modules that ask no language model', () => {
    expect(modulePrompts(flowSchema.parse({}), tools)).toEqual([]);
    expect(modulePrompts(flow('full', ['verifier']), tools)).toHaveLength(1);
  });
});
