/**
 * A line that standard output or error does not take (a full disk, a reader that has gone) is lost, and nothing else
 * happens: without a listener, the stream's error would end the process. Later lines are tried again. Call it first in
 * a process that has to outlive its log.
 */
export function keepOutputHarmless(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
