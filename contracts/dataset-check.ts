/** Something about questions or answers that a person should look at. */
export interface DatasetFinding {
  /** For programs; `says` is for people. */
  kind:
    | 'unwinnable'
    | 'equal-answers'
    | 'equal-choices'
    | 'two-shapes'
    | 'spreadsheet-error'
    | 'damaged-characters'
    | 'joined-answers'
    | 'long-answers'
    | 'contradicting-answers';
  says: string;
  count: number;
  /** Ids of the first questions. */
  first: string[];
}

/** What is in a registered dataset, without any truth; or why it cannot be used; or that it is a made-up world. */
export type DatasetCheck =
  | { name: string; problem: string }
  | { name: string; problem?: undefined; madeUp: true }
  | {
      name: string;
      problem?: undefined;
      madeUp?: undefined;
      training: number;
      heldOut: number;
      families: Record<string, number>;
      /** Lengths of the questions in characters: how many tokens that is depends on the model. */
      characters: { median: number; p95: number; longest: number };
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
      /** Training questions that were left out: they share words with a benchmark's, or are this dataset's held-out ones. */
      overlapping: {
        count: number;
        byBenchmark: Record<string, number>;
        first: { item: string; benchmark: string; question: string; words: string }[];
      };
      /** Over every question and truth. */
      sha256: string;
    };
