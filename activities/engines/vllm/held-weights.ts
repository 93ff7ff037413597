/** Weights that the server holds for a call, until `release`. */
export interface HeldWeights {
  /** What requests call them. */
  servedName: string;
  sha256: string;
  /** To be said when the server does not know them (any more): the next one to ask for them loads them again. */
  lost(): void;
  /** Whether `confirm` would notice a server that was started anew, perhaps with other flags. */
  confirms: boolean;
  /**
   * To be asked after an answer: were these the weights that it came from?
   * @throws PolicyServerAnswerInvalid where they were not
   */
  confirm(): Promise<void>;
  release(): void;
}

/** Waits for work that others wait for too: the signal ends the waiting, not the work. */
export async function waitFor<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([shared, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
