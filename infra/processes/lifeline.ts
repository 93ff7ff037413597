import { Socket } from 'node:net';

/** Holds the number of the file descriptor that a supervised process beats on. */
export const LIFELINE_VARIABLE = 'AGENTFLOW_LIFELINE';

/** Between two beats. A supervisor that restarts the silent waits many times as long. */
const BEAT_MS = 1_000;

/**
 * Tells the supervisor, if there is one, that this process's event loop turns: a byte every second. It stops when the
 * loop stops, whatever the process's other threads do. When the supervisor has gone the process ends, as by SIGTERM:
 * nobody would restart it or stop it any more.
 */
export function holdLifeline(): void {
  const fd = Number(process.env[LIFELINE_VARIABLE]);
  delete process.env[LIFELINE_VARIABLE];
  if (!fd) return;
  const line = new Socket({ fd, readable: true, writable: true });
  // A supervisor that reads nothing (stopped, or busy) must not make this process keep what it never reads.
  const beat = setInterval(() => void (line.writableLength === 0 && line.write('.')), BEAT_MS);
  line.on('error', () => undefined); // `close` follows
  line.once('close', () => {
    clearInterval(beat);
    process.kill(process.pid, 'SIGTERM');
  });
  line.resume();
  line.write('.');
  line.unref();
  beat.unref();
}
