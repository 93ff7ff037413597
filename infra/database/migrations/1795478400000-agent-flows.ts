import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Agent flows that someone asked for: one question each, outside of any training run. */
export class AgentFlows1795478400000 implements MigrationInterface {
  name = 'AgentFlows1795478400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE agent_flows (
    id text PRIMARY KEY,
    project text NOT NULL,
    question text NOT NULL,
    images jsonb NOT NULL,
    dataset jsonb NOT NULL,
    model text NOT NULL,
    config jsonb NOT NULL,
    seed bigint,
    policy_name text,
    policy_sha256 text,
    status text NOT NULL,
    status_version integer NOT NULL DEFAULT 0,
    result jsonb,
    failure jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
)`);
    await queryRunner.query('CREATE INDEX agent_flows_project_created ON agent_flows (project, created_at, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE agent_flows');
  }
}
