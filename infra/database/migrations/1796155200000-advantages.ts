import type { MigrationInterface, QueryRunner } from 'typeorm';

const SORTED = ['reward', 'advantage'];

/** Rollouts have the advantage with which they teach, and a run's are read in the order of it and of the reward. */
export class Advantages1796155200000 implements MigrationInterface {
  name = 'Advantages1796155200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE rollouts ADD COLUMN advantage double precision');
    for (const column of SORTED) {
      await queryRunner.query(
        `CREATE INDEX rollouts_run_${column} ON rollouts (run_id, ${column}, step, group_index, rollout_index, flow_id)`,
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const column of SORTED) await queryRunner.query(`DROP INDEX rollouts_run_${column}`);
    await queryRunner.query('ALTER TABLE rollouts DROP COLUMN advantage');
  }
}
