import type { MigrationInterface, QueryRunner } from 'typeorm';

const INDICES = {
  training_runs_project_status: '(project, status, number)',
  training_runs_project_model: `(project, (config ->> 'model'), number)`,
  training_runs_project_dataset: `(project, (config #>> '{dataset,name}'), number)`,
  training_runs_project_created_at: '(project, created_at)',
};

/** Training runs are found by status, model, dataset and time without reading all of a project's. */
export class RunFilters1796151600000 implements MigrationInterface {
  name = 'RunFilters1796151600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [index, columns] of Object.entries(INDICES)) {
      await queryRunner.query(`CREATE INDEX ${index} ON training_runs ${columns}`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const index of Object.keys(INDICES)) await queryRunner.query(`DROP INDEX ${index}`);
  }
}
