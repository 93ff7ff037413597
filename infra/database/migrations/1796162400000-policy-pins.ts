import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies that are kept until somebody says otherwise. */
export class PolicyPins1796162400000 implements MigrationInterface {
  name = 'PolicyPins1796162400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE policy_pins (
    run_id text NOT NULL,
    step integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, step)
)`);
    await queryRunner.query(
      'CREATE TRIGGER refuse_removed BEFORE INSERT ON policy_pins FOR EACH ROW EXECUTE FUNCTION refuse_row_of_removed_run()',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE policy_pins');
  }
}
