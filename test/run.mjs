// `npm test`: sets up a fresh clone, then runs lint, types, pytest and jest, and ends with one line that holds the sums.
// Any failure, and any skip outside the listed set, makes the exit code 1.
import { tmpdir } from 'node:os';
import { bootstrapOrExit } from '../infra/local/bootstrap.mjs';
import { runFailuresAgain, sumOf } from './runner/again.mjs';
import { runChecks } from './runner/checks.mjs';
import { testEnvironment } from './runner/environment.mjs';
import { runUnitTests, runWholeStackTests } from './runner/jest.mjs';
import { runClientPytest, runPytest } from './runner/pytest.mjs';
import { useTemporaryDirectory } from './runner/temporary-directory.mjs';

delete process.env.TEMPORAL_ADDRESS; // the tests start servers of their own: set-up must not skip them
await bootstrapOrExit();
useTemporaryDirectory();
const env = testEnvironment();

const ended = [];
// Whole stacks wait for restarts, and workflow tests for their servers; what runs beside them computes meanwhile.
for (const parts of [
  [runWholeStackTests, runChecks, runClientPytest],
  [runUnitTests, runPytest],
]) {
  ended.push(...(await Promise.all(parts.map((runPart) => runPart(env, tmpdir())))));
}
const { passed, failed, skipped, unsteady } = sumOf(await runFailuresAgain(ended));

for (const name of unsteady) console.log(`UNSTEADY ${name}: failed beside other tests, passed alone`);
const aside = unsteady.length > 0 ? `; ${unsteady.length} of those that passed did so only when run again, alone` : '';
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped${aside}`);
process.exitCode = failed > 0 ? 1 : 0;
