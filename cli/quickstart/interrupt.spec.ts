import { describe, expect, it } from '@jest/globals';
import { interruptSignal } from './interrupt.js';

describe(interruptSignal, () => {
  it('is aborted by Ctrl-C and goes on listening, so that nothing else ends the process before the stack is stopped', () => {
    const before = process.listeners('SIGINT');
    const signal = interruptSignal();
    expect(signal.aborted).toBe(false);
    process.emit('SIGINT');
    const added = process.listeners('SIGINT').filter((listener) => !before.includes(listener));
    expect(signal.aborted).toBe(true);
    expect(added).toHaveLength(1);
    for (const listener of added) process.off('SIGINT', listener);
  });
});
