import { join } from 'node:path';
import { run, tryCommand } from './command.mjs';
import { CACHE, GPU_WORKER, PYTHON, UV_VENV } from './paths.mjs';
import { findPython } from './python.mjs';
import { stamp } from './stamp.mjs';

const UV = join(UV_VENV, 'bin/uv');
const UV_REQUIREMENTS = join(GPU_WORKER, 'uv-requirements.txt');
const REQUIREMENTS = join(GPU_WORKER, 'requirements.txt');

const uvStamp = stamp(join(UV_VENV, '.stamp'), [UV_REQUIREMENTS]);
const packagesStamp = stamp(join(GPU_WORKER, '.venv/.stamp'), [REQUIREMENTS]);

export const pythonPackages = {
  title: 'Python packages',
  needs: [],
  isDone: () => packagesStamp.matches() && tryCommand(PYTHON, ['--version']) !== undefined,
  async run() {
    if (!uvStamp.matches() || tryCommand(UV, ['--version']) === undefined) await installUv();
    const env = { UV_CACHE_DIR: process.env.UV_CACHE_DIR || join(CACHE, 'uv') };
    if (tryCommand(PYTHON, ['--version']) === undefined) {
      const args = ['venv', '--clear', '--no-python-downloads', '--python', findPython(), join(GPU_WORKER, '.venv')];
      await run('Creating the Python environment worker/gpu/.venv', UV, args, { env });
    }
    const sync = ['pip', 'sync', '--require-hashes', '--python', PYTHON, REQUIREMENTS];
    await run('Installing the Python packages of worker/gpu/requirements.txt (PyTorch: some GB)', UV, sync, {
      env,
      hint: 'uv needs PyPI (or the index that UV_INDEX_URL names) and about 12 GB of free disk.',
    });
    packagesStamp.write();
  },
};

/** uv in an environment of its own, from PyPI, pinned and checked by hash: nothing of the user's is touched. */
async function installUv() {
  const python = findPython();
  await run('Creating an environment for uv', python, ['-m', 'venv', '--clear', UV_VENV], {
    hint: 'This Python lacks the module venv: on Debian and Ubuntu run `apt-get install python3-venv`.',
  });
  const install = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--require-hashes',
    '--requirement',
  ];
  await run('Fetching uv from PyPI', join(UV_VENV, 'bin/python'), [...install, UV_REQUIREMENTS]);
  uvStamp.write();
}
