// `npm test`: sets up a fresh clone, then runs lint, types, pytest and jest, and ends with one line that holds the sums.
// Any failure, and any skip outside the listed set, makes the exit code 1.
import { tmpdir } from 'node:os';
import { bootstrapOrExit } from '../infra/local/bootstrap.mjs';
import { runChecks } from './runner/checks.mjs';
import { testEnvironment } from './runner/environment.mjs';
import { runUnitTests, runWholeStackTests } from './runner/jest.mjs';
import { runPytest } from './runner/pytest.mjs';
import { useTemporaryDirectory } from './runner/temporary-directory.mjs';

delete process.env.TEMPORAL_ADDRESS; // the tests start servers of their own: set-up must not skip them
await bootstrapOrExit();
useTemporaryDirectory();
const env = testEnvironment();

const total = { passed: 0, failed: 0, skipped: 0 };
// Whole stacks wait for restarts, and workflow tests for their servers; what runs beside them computes meanwhile.
for (const parts of [
  [runWholeStackTests, runChecks],
  [runUnitTests, runPytest],
]) {
  for (const counts of await Promise.all(parts.map((runPart) => runPart(env, tmpdir())))) {
    for (const kind of Object.keys(total)) total[kind] += counts[kind];
  }
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
