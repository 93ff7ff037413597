import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server of a test. It remembers what it was asked. */
export class LocalServer {
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  private constructor(
    private readonly server: Server,
    readonly host: string,
  ) {}

  /** @param answer called when the request's body has arrived */
  static async start(answer: RequestListener, host = '127.0.0.1', port = 0): Promise<LocalServer> {
    const server = createServer();
    const local = new LocalServer(server, host);
    server.on('request', (incoming: IncomingMessage, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { method = '', url = '', headers } = incoming;
        local.requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        answer(incoming, outgoing);
      });
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return local;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
