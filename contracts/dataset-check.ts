/** Something about questions or answers that a person should look at. */
export interface DatasetFinding {
  /** For programs; `says` is for people. */
  kind:
    | 'unwinnable'
    | 'no-number'
    | 'equal-answers'
    | 'equal-choices'
    | 'two-shapes'
    | 'spreadsheet-error'
    | 'damaged-characters'
    | 'html-entities'
    | 'joined-answers'
    | 'long-answers'
    | 'contradicting-answers';
  says: string;
  count: number;
  /** Ids of the first questions. */
  first: string[];
}

/** How long the questions of a dataset are: all of them, training and held out. */
export interface Lengths {
  median: number;
  /** 95 % of the questions have at most this. */
  p95: number;
  longest: number;
}

/** Lengths in tokens of a model, beside what its context leaves. */
export interface TokenLengths {
  /** Its name in the operator's file. */
  model: string;
  /** Tokens that prompt and reply may have together, as the operator's file says. */
  context: number;
  /** Tokens of the planner's first prompt without the question: by default, in the model's chat template. */
  prompt: number;
  /** Tokens that a plan may have by default. */
  plan: number;
  /** What they leave for a question. */
  room: number;
  /** What questions add to the prompt. */
  question: Lengths;
  /** Questions that have more than the room: a rollout of one is excluded as `prompt_too_long`. */
  tooLong: {
    count: number;
    /** Ids of the first of them. */
    first: string[];
  };
}

/** What is in a dataset that was read, without any truth. */
export interface DatasetReport {
  name: string;
  problem?: undefined;
  madeUp?: undefined;
  training: number;
  heldOut: number;
  families: Record<string, number>;
  /** Lengths of the questions in characters. */
  characters: Lengths;
  /** Present if a model was named. */
  tokens?: TokenLengths;
  /** What a download said that the licence is, and files beside the data that look like one. */
  licence: { stated?: string; files: string[] };
  /** What is strange about the files. */
  notes: string[];
  findings: DatasetFinding[];
  /** Records that say the same as another. */
  repeated: number;
  /** Records that are no question as the dataset is used here. */
  leftOut: number;
  unreadable: { count: number; first: string[] };
  /**
   * Training questions that were left out: they share words with a benchmark's, or are this dataset's held-out ones.
   */
  overlapping: {
    count: number;
    byBenchmark: Record<string, number>;
    first: { item: string; benchmark: string; question: string; words: string }[];
  };
  /** Over every question and truth. */
  sha256: string;
}

/**
 * What `agentflow datasets check` finds out about a dataset: what is in it; or why it cannot be used; or that it is a
 * made-up world. `--json` prints a list of these, and its table is made of them.
 */
export type DatasetCheck =
  { name: string; problem: string } | { name: string; problem?: undefined; madeUp: true } | DatasetReport;
