import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Runs of a project have places in its queue. A place is given while the project's row is locked, whoever queues the run:
 * places become visible in ascending order, so that nobody who counts the runs before one misses a run that is
 * still being written.
 */
export class RunQueue1796157000000 implements MigrationInterface {
  name = 'RunQueue1796157000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE training_runs ADD COLUMN place bigint');
    await queryRunner.query('UPDATE training_runs SET place = number');
    await queryRunner.query('ALTER TABLE training_runs ALTER COLUMN place SET NOT NULL');
    await queryRunner.query(
      'CREATE INDEX training_runs_queue ON training_runs (project, place) WHERE finished_at IS NULL',
    );
    await queryRunner.query(`CREATE FUNCTION queue_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM projects WHERE id = NEW.project FOR NO KEY UPDATE;
  NEW.place := nextval(pg_get_serial_sequence('training_runs', 'number'));
  RETURN NEW;
END $$`);
    await queryRunner.query(`CREATE TRIGGER queue_new BEFORE INSERT ON training_runs
      FOR EACH ROW EXECUTE FUNCTION queue_run()`);
    await queryRunner.query(`CREATE TRIGGER queue_again BEFORE UPDATE OF status ON training_runs
      FOR EACH ROW WHEN (NEW.status = 'queued' AND OLD.status <> 'queued') EXECUTE FUNCTION queue_run()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER queue_again ON training_runs');
    await queryRunner.query('DROP TRIGGER queue_new ON training_runs');
    await queryRunner.query('DROP FUNCTION queue_run()');
    await queryRunner.query('DROP INDEX training_runs_queue');
    await queryRunner.query('ALTER TABLE training_runs DROP COLUMN place');
  }
}
