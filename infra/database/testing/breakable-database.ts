import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../data-source.js';

/**
 * A data source whose way to PostgreSQL can be broken and mended. While it is broken, connections end and no new one
 * can be made, as if the server were killed.
 */
export class BreakableDatabase {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private port = 0;
  dataSource: DataSource;

  private constructor(target: URL) {
    this.server = createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname);
      for (const socket of [client, upstream]) {
        this.sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
          this.sockets.delete(socket);
        });
      }
      client.pipe(upstream).pipe(client);
    });
  }

  /** @param url of a database that exists */
  static async open(url: string): Promise<BreakableDatabase> {
    const target = new URL(url);
    const database = new BreakableDatabase(target);
    await database.mend();
    const broken = new URL(url);
    broken.port = String(database.port);
    database.dataSource = await createDataSource(broken.toString(), 'agent-worker').initialize();
    return database;
  }

  async break(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    if (this.server.listening) await this.break();
  }
}
