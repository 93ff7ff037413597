import { join } from 'node:path';
import { run } from './command.mjs';
import { pythonPackages } from './python-packages.mjs';
import { CACHE, GPU_WORKER, PYTHON, PYTHON_ENV } from './paths.mjs';
import { stamp } from './stamp.mjs';

const MODELS = join(CACHE, 'models');

const modelStamp = stamp(join(MODELS, '.stamp'), [
  join(GPU_WORKER, 'requirements.txt'),
  join(GPU_WORKER, 'flow_grpo/base_model.py'),
]);

export const baseModel = {
  title: 'Base model',
  needs: [pythonPackages],
  isDone: () => modelStamp.matches(),
  async run() {
    const args = ['-m', 'flow_grpo.base_model', 'smollm2', MODELS];
    await run('Dequantising SmolLM2-135M-Instruct', PYTHON, args, { env: PYTHON_ENV });
    modelStamp.write();
  },
};
