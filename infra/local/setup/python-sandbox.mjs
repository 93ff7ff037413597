import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { nodePackages } from './node-packages.mjs';
import { CACHE, ROOT, UV_VENV } from './paths.mjs';
import { pythonPackages } from './python-packages.mjs';
import { stamp } from './stamp.mjs';

const CODER = join(ROOT, 'activities/tools/python-coder');
const PYODIDE = join(ROOT, 'node_modules/pyodide');
const REQUIREMENTS = join(CODER, 'requirements.txt');
/** infra/config/environment.ts knows where AGENTFLOW_CACHE is; the agent worker reads this directory of it. */
const LIBRARIES = join(CACHE, 'python-sandbox');

const NODE_FLAGS = [
  '--experimental-vm-modules',
  '--disallow-code-generation-from-strings',
  '--disable-warning=ExperimentalWarning',
];

export const pythonSandbox = {
  title: 'Python sandbox',
  needs: [nodePackages, pythonPackages],
  isDone: () => sandboxStamp().matches(),
  async run() {
    rmSync(LIBRARIES, { recursive: true, force: true });
    mkdirSync(LIBRARIES, { recursive: true });
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps'];
    await run(
      'Fetching sympy and mpmath from PyPI',
      join(UV_VENV, 'bin/python'),
      [...pip, '--only-binary=:all:', '--require-hashes', '--dest', LIBRARIES, '--requirement', REQUIREMENTS],
      { hint: 'pip needs PyPI, or the index that PIP_INDEX_URL names.' },
    );
    for (const wheel of readdirSync(LIBRARIES)) {
      renameSync(join(LIBRARIES, wheel), join(LIBRARIES, `${wheel.split('-')[0]}.whl`));
    }
    const make = [join(CODER, 'interpreter/make-snapshot.mjs'), PYODIDE, LIBRARIES];
    await run('Taking a snapshot of Python with sympy loaded', process.execPath, [...NODE_FLAGS, ...make]);
    sandboxStamp().write();
  },
};

/** What the snapshot is made of. A function, because Pyodide is not there before the Node packages are. */
function sandboxStamp() {
  const code = readdirSync(join(CODER, 'interpreter')).sort();
  return stamp(join(LIBRARIES, '.stamp'), [
    REQUIREMENTS,
    join(PYODIDE, 'package.json'),
    ...code.map((name) => join(CODER, 'interpreter', name)),
  ]);
}
