import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KEY_SCOPES } from '../../../contracts/key-scopes.js';
import { createApiKey, hashApiKey, isAccepted } from '../api-keys.js';
import { ApiKey, Project, TrainingRun } from '../entities/index.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { trainingRunRow } from '../testing/training-run-row.js';
import { ProjectsAndScopes1796140800000 } from './1796140800000-projects-and-scopes.js';

describe(ProjectsAndScopes1796140800000, () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());

  it('makes the projects that rows name, and lets every key that is there do everything', async () => {
    const { dataSource } = database;
    const keys = [await createApiKey(dataSource, 'default'), await createApiKey(dataSource, 'team')];
    await dataSource.getRepository(TrainingRun).insert(trainingRunRow({ project: 'Runs of a project' }));
    const runner = dataSource.createQueryRunner();
    try {
      const migration = new ProjectsAndScopes1796140800000();
      await migration.down(runner);
      await migration.up(runner);
    } finally {
      await runner.release();
    }
    const projects = await dataSource.getRepository(Project).find({ order: { number: 'ASC' } });
    expect(projects.map(({ id }) => id)).toEqual(['default', 'Runs of a project', 'team']);
    for (const [index, key] of keys.entries()) {
      const row = await dataSource.getRepository(ApiKey).findOneByOrFail({ sha256: hashApiKey(key) });
      expect(row).toMatchObject({ name: 'unnamed', scopes: [...KEY_SCOPES], prefix: null, number: index + 1 });
      expect(isAccepted(row, Date.now())).toBe(true);
    }
    await createApiKey(dataSource, 'new');
    expect((await dataSource.getRepository(ApiKey).find({ order: { number: 'DESC' } }))[0]).toMatchObject({
      number: 3,
    });
  });
});
