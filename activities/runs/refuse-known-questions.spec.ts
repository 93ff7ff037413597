import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { ItemStore } from '../datasets/items/item-store.js';
import { Datasets } from '../datasets/registry.js';
import { refuseKnownQuestions } from './refuse-known-questions.js';

describe(refuseKnownQuestions, () => {
  let directory: string;
  let exclude: (benchmarks: string[]) => Datasets;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'known-questions-'));
    const write = async (name: string, questions: string[]) => {
      const path = join(directory, name);
      await writeFile(path, JSON.stringify(questions.map((question, id) => ({ id, question, answer: '1' }))));
      return path;
    };
    const training = await write('training.json', ['Who built it?', 'Find 3 + 4.', 'Who sold it?', 'Who saw it?']);
    const benchmark = await write('benchmark.json', ['who  BUILT it', 'Find 3 - 4.', 'Who sold it?']);
    const others = await write('others.json', ['Who saw it?', 'Who heard it?']);
    const own = { columns: { question: 'question', answer: 'answer' }, answers: 'text' };
    exclude = (benchmarks) =>
      new Datasets(
        new ItemStore(
          datasetsSection.parse({
            atlas: {},
            mine: { ...own, path: training, exclude_overlap_with: benchmarks },
            others: { ...own, path: others, held_out: 2 },
            mix: { mix: { mine: 1, others: 1 } },
            hotpotqa: { benchmark: 'hotpotqa', path: benchmark },
          }),
        ),
      );
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const refuse = (dataset: string, evaluation?: string, datasets = exclude([])) => {
    const names = { dataset: { name: dataset }, evaluation: evaluation ? { dataset: { name: evaluation } } : {} };
    return refuseKnownQuestions(runConfigSchema.parse({ model: 'tiny-random', steps: 1, ...names }), datasets);
  };

  it('refuses a run that trains on questions of its benchmark, says how many, and what to do', async () => {
    await expect(refuse('mine', 'hotpotqa')).rejects.toMatchObject({
      type: 'BadConfiguration',
      message: expect.stringMatching(
        /evaluated on 2 of its training questions: they are in "mine" and among the held-out questions of "hotpotqa".*exclude_overlap_with/,
      ),
    });
  });

  it('takes it where they were left out of training', async () => {
    await expect(refuse('mine', 'hotpotqa', exclude(['hotpotqa']))).resolves.toBeUndefined();
  });

  it('refuses a mix of which one part trains on what another holds out', async () => {
    await expect(refuse('mix')).rejects.toThrow(
      /evaluated on 1 of its training questions: they are in "mix" and among the held-out questions of "mix"/,
    );
    await expect(refuse('mine', 'others')).rejects.toThrow(
      /evaluated on 1 of its training questions: they are in "mine"/,
    );
  });

  it('takes what is apart: a split of a file, a made-up world', async () => {
    for (const [dataset, evaluation] of [['mine'], ['others'], ['atlas'], ['atlas', 'hotpotqa'], ['mine', 'atlas']]) {
      await expect(refuse(dataset, evaluation)).resolves.toBeUndefined();
    }
  });
});
