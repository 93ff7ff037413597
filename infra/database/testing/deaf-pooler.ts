import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const NOTIFICATION = 'A'.charCodeAt(0);
/** The type and the length of a message of PostgreSQL; the length counts itself. */
const HEAD_BYTES = 5;

/** A way to PostgreSQL that lets everything through but notifications, as a pooler in transaction mode does. */
export class DeafPooler {
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((client) => this.pass(client));

  private constructor(private readonly target: number) {}

  static async to(port: number): Promise<DeafPooler> {
    const pooler = new DeafPooler(port);
    await new Promise<void>((resolve) => pooler.server.listen(0, '127.0.0.1', resolve));
    return pooler;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    let rest = Buffer.alloc(0);
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      const [messages, incomplete] = split(Buffer.concat([rest, bytes]));
      rest = incomplete;
      for (const message of messages) if (message[0] !== NOTIFICATION) client.write(message);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

/** The whole messages, and what is there of the next one. */
function split(bytes: Buffer<ArrayBuffer>): [messages: Buffer[], incomplete: Buffer<ArrayBuffer>] {
  const messages: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= HEAD_BYTES) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return [messages, bytes.subarray(at)];
}
