// `npm test`: sets up a fresh clone, then runs lint, types, pytest and jest, and ends with one line that holds the sums.
// Any failure, and any skip outside the listed set, makes the exit code 1.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapOrExit } from '../infra/local/bootstrap.mjs';
import { runChecks } from './runner/checks.mjs';
import { testEnvironment } from './runner/environment.mjs';
import { runUnitTests, runWholeStackTests } from './runner/jest.mjs';
import { runPytest } from './runner/pytest.mjs';

const env = testEnvironment();
delete process.env.TEMPORAL_ADDRESS; // the tests start servers of their own: set-up must not skip them
await bootstrapOrExit();

const resultsDirectory = mkdtempSync(join(tmpdir(), 'agentflow-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
// Workflow tests wait for their servers more than they compute, and pytest computes: together they take the time of one.
for (const parts of [[runChecks], [runUnitTests, runPytest], [runWholeStackTests]]) {
  for (const counts of await Promise.all(parts.map((runPart) => runPart(env, resultsDirectory)))) {
    for (const kind of Object.keys(total)) total[kind] += counts[kind];
  }
}
rmSync(resultsDirectory, { recursive: true });

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
