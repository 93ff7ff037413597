import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { processUsage } from './process-usage.js';

describe(processUsage, () => {
  it('counts processor time and memory of a process, and knows when it has ended', async () => {
    const script = `const kept = Buffer.alloc(200e6, 1);
      while (process.cpuUsage().user < 5e5);
      console.log(kept.length); process.stdin.resume();`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const usage = await processUsage(child.pid!);
    expect(usage!.cpuSeconds).toBeGreaterThanOrEqual(0.4);
    expect(usage!.residentBytes).toBeGreaterThan(200e6);
    child.stdin.end();
    await once(child, 'close');
    expect(await processUsage(child.pid!)).toBeUndefined();
  });
});
