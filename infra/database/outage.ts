/** PostgreSQL's error codes, whole or by class, that do not blame the statement: it may succeed later. */
const OUTAGE_CODES = [
  '08', // the connection failed
  '53', // out of disk, memory or connections
  '57P', // the server is shut down, has crashed, or starts
  '58', // the system around it failed
  '25006', // it is a standby at this moment
  '25P03', // it ended a session that was idle in a transaction
  '40001', // another transaction came first
  '40P01', // a deadlock, which this transaction lost
  '55006', // an object is in use
  '55P03', // a lock did not become free in time
  '57014', // the statement took longer than allowed
];

/** Node's codes of a server that cannot be reached. */
export const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
]);

/** What the driver says, without a code, of a connection that is gone or not made in time. */
const DRIVER_WORDS =
  /^(?:connection (?:terminated|ended)|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|driver not connected|client was closed|query runner already released|cannot use a pool after calling end)/i;

/** Causes may form a circle. */
const DEPTH = 8;

/**
 * Whether the database itself is the reason: not reached, restarting, out of disk, busy. Then the same statement may
 * succeed later. False for a statement that it refuses for what is in it.
 */
export function isDatabaseOutage(error: unknown, depth = DEPTH): boolean {
  if (typeof error !== 'object' || error === null || depth === 0) return false;
  const { code, syscall, message, driverError, cause, errors } = error as Partial<Reasons>;
  if (typeof code === 'string' && (NETWORK_CODES.has(code) || OUTAGE_CODES.some((known) => code.startsWith(known)))) {
    return true;
  }
  // The socket of a server that is not running is a file that is not there.
  if (code === 'ENOENT' && syscall === 'connect') return true;
  if (typeof message === 'string' && DRIVER_WORDS.test(message)) return true;
  return [driverError, cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])].some((reason) =>
    isDatabaseOutage(reason, depth - 1),
  );
}

/** Where an error, TypeORM's or an AggregateError holds its reasons. */
type Reasons = Record<'code' | 'syscall' | 'message' | 'driverError' | 'cause' | 'errors', unknown>;
