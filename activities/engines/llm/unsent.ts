/** Failures before which nothing was sent: such a call has cost nothing. */
const unsent = new WeakSet<object>();

/** Codes of connections that were never made. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Notes that nothing was sent before this failure. */
export function markUnsent<Failure>(failure: Failure): Failure {
  if (typeof failure === 'object' && failure !== null) unsent.add(failure);
  return failure;
}

/** Whether a call that failed may have reached its provider. */
export function wasSent(failure: unknown): boolean {
  return typeof failure !== 'object' || failure === null || !unsent.has(failure);
}

/** Whether a request failed because no connection was made. What a library throws hides the reason in its causes. */
export function notConnected(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && NOT_CONNECTED.has(code)) return true;
  // Of a name with several addresses all have to have failed.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(notConnected);
  return notConnected(cause);
}
