import { Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { createDataSource } from './data-source.js';
import { createTestDatabase } from './testing/test-database.js';

describe(createDataSource, () => {
  it('has its connections probed, so that a query ends whose server is gone without a word', async () => {
    const database = await createTestDatabase();
    const probed = jest.spyOn(Socket.prototype, 'setKeepAlive');
    const dataSource = createDataSource(database.url);
    try {
      await dataSource.initialize();
      expect(probed).toHaveBeenCalledWith(true, 10_000);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});
