/** Where a dataset is published on the Hugging Face hub. */
export interface DatasetSource {
  repository: string;
  /** The files of the split that is used. */
  files: RegExp;
  /** What its licence is known to be, as the hub writes it; `unstated` where the publisher says none. */
  licence: string;
  /** Its publisher wants to know who has it: it takes an account that accepted the terms. */
  gated: boolean;
}

/** Benchmarks that are read from their published files. They are for evaluation only. */
const BENCHMARKS = {
  bamboogle: source('RUC-NLPIR/FlashRAG_datasets', /^bamboogle\/test\.jsonl$/, 'cc-by-sa-4.0'),
  '2wiki': source('RUC-NLPIR/FlashRAG_datasets', /^2wikimultihopqa\/dev\.jsonl$/, 'cc-by-sa-4.0'),
  hotpotqa: source('hotpotqa/hotpot_qa', /^distractor\/validation-.*\.parquet$/, 'cc-by-sa-4.0'),
  musique: source('RUC-NLPIR/FlashRAG_datasets', /^musique\/dev\.jsonl$/, 'cc-by-sa-4.0'),
  gaia: source('gaia-benchmark/GAIA', /^2023\/validation\/metadata\.(parquet|jsonl)$/, 'unstated', true),
  aime24: source('Maxwell-Jia/AIME_2024', /^aime_2024_problems\.parquet$/, 'mit'),
  amc23: source('math-ai/amc23', /(^|\/)test-.*\.parquet$/, 'unstated'),
  gpqa: source('Idavidrein/gpqa', /^gpqa_diamond\.csv$/, 'cc-by-4.0', true),
  medqa: source('GBaker/MedQA-USMLE-4-options', /^phrases_no_exclude_test\.jsonl$/, 'cc-by-4.0'),
};

/** Training sets whose published files are known. */
const TRAINING = {
  nq: source('RUC-NLPIR/FlashRAG_datasets', /^nq\/train\.jsonl$/, 'cc-by-sa-4.0'),
  deepmath: source('zwhe99/DeepMath-103K', /^data\/train-.*\.parquet$/, 'mit'),
};

export type FileBenchmark = keyof typeof BENCHMARKS;
export type TrainingSet = keyof typeof TRAINING;
export const FILE_BENCHMARKS = Object.keys(BENCHMARKS) as FileBenchmark[];
export const TRAINING_SETS = Object.keys(TRAINING) as TrainingSet[];
export const SOURCES: Record<FileBenchmark | TrainingSet, DatasetSource> = { ...BENCHMARKS, ...TRAINING };

function source(repository: string, files: RegExp, licence: string, gated = false): DatasetSource {
  return { repository, files, licence, gated };
}
