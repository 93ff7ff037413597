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
