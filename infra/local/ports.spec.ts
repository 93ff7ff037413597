import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findFreePort, isFree, portHolder, PortTaken, requireFreePort } from './ports.js';

describe('ports', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    port = await findFreePort();
    server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });

  afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

  it('names the process that holds a port, its purpose and the setting that changes it', async () => {
    const required = requireFreePort(port, 'the API', 'AGENTFLOW_API_PORT');
    await expect(required).rejects.toThrow(PortTaken);
    await expect(required).rejects.toThrow(
      new RegExp(`Port ${port} .*the API.*process ${process.pid} \\(.*node.*AGENTFLOW_API_PORT`),
    );
  });

  it('finds the holder by pid', () => {
    expect(portHolder(port)?.pid).toBe(process.pid);
  });

  it('finds a free port that is not among the taken', async () => {
    const free = await findFreePort(new Set([port]));
    expect(free).not.toBe(port);
    expect(await isFree(free)).toBe(true);
    expect(await isFree(port)).toBe(false);
  });

  it('has nothing to say about a free port', async () => {
    const free = await findFreePort();
    await expect(requireFreePort(free, 'a test', 'NONE')).resolves.toBeUndefined();
    expect(portHolder(free)).toBeUndefined();
  });
});
