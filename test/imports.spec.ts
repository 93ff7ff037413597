import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the lint of import circles', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'circles-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function lint(files: Record<string, string>): string {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, `${name}.ts`), text);
    const config = join(root, '.oxlintrc.json');
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    return spawnSync(process.execPath, [oxlint, '--config', config, directory], { encoding: 'utf8' }).stdout;
  }

  // The order of the names is the order in which files are read, which must not matter.
  it.each([
    ['a', 'b', 'c'],
    ['c', 'b', 'a'],
    ['b', 'c', 'a'],
  ])('sees one of type imports alone, of every form: %s, %s, %s', (one, two, three) => {
    const output = lint({
      [one]: `import type { Two } from './${two}.js';\nexport interface One { two: Two }\n`,
      [two]: `import { type Three } from './${three}.js';\nexport interface Two { three: Three }\n`,
      [three]: `export type { One } from './${one}.js';\nexport interface Three { name: string }\n`,
    });
    expect(output).toContain('Dependency cycle detected');
  });

  it('says nothing of imports in one direction', () => {
    const output = lint({
      a: `import type { B } from './b.js';\nexport interface A { b: B }\n`,
      b: `export interface B { name: string }\n`,
    });
    expect(output).toContain('Found 0 warnings and 0 errors');
  });
});
