const TRANSIENT = new Set([408, 409, 425, 429]);

/** Whether an HTTP status says that the same request may be answered later. */
export function isTransient(status: number): boolean {
  return status >= 500 || TRANSIENT.has(status);
}
