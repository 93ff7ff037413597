import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What set-up downloads and builds, all of it: safe to delete. */
export const CACHE = resolve(ROOT, process.env.AGENTFLOW_CACHE || '.cache');

export const GPU_WORKER = join(ROOT, 'worker/gpu');

/** The client for Python. Its tests and tools run in the environment of worker/gpu, which has what they need. */
export const PYTHON_CLIENT = join(ROOT, 'clients/python');

/** The Python that runs the policy server, the trainer worker and their tests. */
export const PYTHON = join(GPU_WORKER, '.venv/bin/python');

/** pip and uv, apart from PYTHON: they fetch what the project needs of Python. */
export const UV_VENV = join(GPU_WORKER, '.uv');

/** The environment in which PYTHON finds the package flow_grpo. */
export const PYTHON_ENV = { PYTHONPATH: GPU_WORKER };

/** The Temporal CLI that set-up chose: a link to the one on PATH, or a build of ours. */
export const TEMPORAL = join(CACHE, 'bin/temporal');
