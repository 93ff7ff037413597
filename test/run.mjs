// `npm test`: sets up a fresh clone, then runs lint, types, jest and pytest one after another, and ends with one line
// that holds the sums. Any failure, and any skip outside the listed set, makes the exit code 1.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapOrExit } from '../infra/local/bootstrap.mjs';
import { runChecks } from './runner/checks.mjs';
import { testEnvironment } from './runner/environment.mjs';
import { runJest } from './runner/jest.mjs';
import { runPytest } from './runner/pytest.mjs';

const env = testEnvironment();
delete process.env.TEMPORAL_ADDRESS; // the tests start servers of their own: set-up must not skip them
await bootstrapOrExit();

const resultsDirectory = mkdtempSync(join(tmpdir(), 'agentflow-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
for (const runPart of [runChecks, runPytest, runJest]) {
  const counts = await runPart(env, resultsDirectory);
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
}
rmSync(resultsDirectory, { recursive: true });

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
