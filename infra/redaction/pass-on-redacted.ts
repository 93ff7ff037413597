import type { Readable, Writable } from 'node:stream';
import { LineRedactor } from './line-redactor.js';

/** What a child writes becomes part of this process's log, without the keys that this process knows (I6). */
export function passOnRedacted(from: Readable, to: Pick<Writable, 'write'>): void {
  const redactor = new LineRedactor();
  from.setEncoding('utf8');
  from.on('data', (text: string) => to.write(redactor.push(text)));
  from.once('end', () => to.write(redactor.end()));
}
