import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A step tells what the answers of its rollouts were like. Steps of before have nothing to tell. */
export class AnswersOfSteps1796054400000 implements MigrationInterface {
  name = 'AnswersOfSteps1796054400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE training_steps ADD answers jsonb');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE training_steps DROP answers');
  }
}
