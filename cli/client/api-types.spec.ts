import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

it('cli/client/api-types.ts is what docs/openapi.json says (else: npm run openapi)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'agentflow-api-types-'));
  try {
    const fresh = join(directory, 'api-types.ts');
    execFileSync(process.execPath, [here('./write-api-types.mjs'), fresh], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(readFileSync(here('./api-types.ts'), 'utf8')).toBe(readFileSync(fresh, 'utf8'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
