import { redact } from './redact.js';

/**
 * From now on no text that this process writes to standard output or error holds a key, whoever writes it: its own code, a
 * library, or Node of an error that nothing caught. Call it before anything is logged.
 */
export function redactOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;
    const redacting = (chunk: string | Uint8Array, ...rest: unknown[]): boolean =>
      write(typeof chunk === 'string' ? redact(chunk) : chunk, ...rest);
    stream.write = redacting;
  }
  // Node itself writes such an error past the stream.
  process.once('uncaughtException', (error) => {
    console.error(error);
    process.exit(1);
  });
}
