import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadOperatorFile } from './operator-file.js';
import { PROJECT_ROOT } from './project-root.js';

const LOCAL = readFileSync(join(PROJECT_ROOT, 'infra/local/operator.yaml'), 'utf8');

function loadWithSource(source: string) {
  const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
  writeFileSync(path, LOCAL.replace(/^models:\n/m, `models:\n  mine: { source: ${source}, context: 4096 }\n`));
  return loadOperatorFile(path).models.mine;
}

describe('the source of a model in the operator file', () => {
  it('is the name of a model of the project or a directory of the server', () => {
    expect(loadWithSource('smollm2')?.source).toBe('smollm2');
    expect(loadWithSource('{ directory: /models/qwen }')?.source).toEqual({ directory: '/models/qwen' });
  });

  it.each([
    '{ directory: models/qwen }',
    '{ directory: /models/qwen, revision: main }',
    '../weights',
    '/models/qwen',
    '7',
  ])('is not %s', (source) => {
    expect(() => loadWithSource(source)).toThrow(/models\.mine\.source/);
  });
});
