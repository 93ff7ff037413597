import { randomBytes } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import {
  AgentFlow,
  AuditEntry,
  Policy,
  ProjectEvent,
  Rollout,
  RunEvent,
  TrainingRun,
  TrainingStep,
  Turn,
} from '../entities/index.js';
import { rolloutRow } from './rollout-row.js';
import { trainingRunRow } from './training-run-row.js';

/** How much a database holds. Every hundredth rollout has turns. */
export interface Many {
  runs: number;
  rolloutsPerRun: number;
}

const STEPS = 10;
const EVENTS = 20;
const SHA = 'a'.repeat(64);

/**
 * Fills a database as a team does in months, all in the project `default`: finished runs with steps, events, policies,
 * rollouts and turns, and as many asked flows and audited requests as runs. The rows of a table are copies of one, which
 * differ in what lists are sorted and filtered by.
 * @returns the id of the run whose copies the others are
 */
export async function addManyRuns(dataSource: DataSource, many: Many): Promise<string> {
  const id = await dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL statement_timeout = 0');
    return addAll(manager, many);
  });
  await dataSource.query('ANALYZE');
  return id;
}

async function addAll(manager: EntityManager, { runs, rolloutsPerRun }: Many): Promise<string> {
  const ended = { status: 'completed', finishedAt: new Date() } as const;
  const run = trainingRunRow({ ...ended, id: `run-${randomBytes(3).toString('hex')}` });
  const flow = `flow-${randomBytes(3).toString('hex')}`;
  const asked = { question: 'Why?', images: [], dataset: { name: 'atlas', seed: 7 }, model: 'tiny-random' };
  await manager.getRepository(TrainingRun).insert(run);
  await manager
    .getRepository(AgentFlow)
    .insert({ id: flow, project: 'default', ...asked, ...ended, config: run.config!.flow });
  await manager
    .getRepository(AuditEntry)
    .insert({ id: `req-${flow}`, project: 'default', method: 'POST', path: '/v1/agent_flows', requestId: flow });
  await manager.getRepository(TrainingStep).insert({ runId: run.id, step: 1, policySha256: SHA, metrics: {} });
  await manager.getRepository(Policy).insert({ runId: run.id, step: 1, uri: 'file:///none', sha256: SHA, metrics: {} });
  await manager
    .getRepository(RunEvent)
    .insert({ runId: run.id, sequence: 1, eventKey: 'first', type: 'step.completed', data: { step: 1 } });
  await manager
    .getRepository(ProjectEvent)
    .insert({ project: 'default', sequence: 1e9, type: 'step.completed', subject: run.id, data: { step: 1 } });
  await manager.getRepository(Rollout).insert(rolloutRow(run.id, 1, 0));
  await manager
    .getRepository(Turn)
    .insert({ flowId: `${run.id}/1/0/0`, turn: 1, module: 'planner', output: { text: 'calculator: 1 + 1' } });

  // Without triggers: they number each event for itself, which takes minutes of so many.
  await manager.query('SET LOCAL session_replication_role = replica');
  const id = `'${run.id}'`;
  const copied = `${id} || '-' || n`;
  const all = [`generate_series(1, ${runs - 1}) AS n`];
  const eachOf = (count: number, name: string) => `generate_series(1, ${count}) AS ${name}`;
  await copies(manager, 'training_runs', `id = ${id}`, all, {
    id: copied,
    name: `'run ' || n`,
    number: `nextval('training_runs_number_seq')`,
    created_at: `now() - n * interval '1 hour'`,
  });
  await copies(manager, 'agent_flows', `id = '${flow}'`, all, {
    id: `'${flow}-' || n`,
    number: `nextval('agent_flows_number_seq')`,
  });
  await copies(manager, 'audit_log', `id = 'req-${flow}'`, all, {
    id: `'req-${flow}-' || n`,
    number: `nextval('audit_log_number_seq')`,
  });
  const ofRuns = (table: string, count: number, changes: Record<string, string>) =>
    copies(manager, table, `run_id = ${id}`, [...all, eachOf(count, 'm')], { run_id: copied, ...changes });
  await ofRuns('training_steps', STEPS, { step: 'm' });
  await ofRuns('policies', STEPS, { step: 'm' });
  await ofRuns('run_events', EVENTS, { sequence: 'm', event_key: `'event ' || m` });
  await ofRuns('rollouts', rolloutsPerRun, {
    flow_id: `${copied} || '/' || m % ${STEPS} || '/0/' || m`,
    step: `m % ${STEPS}`,
    rollout_index: 'm',
    reward: '(m % 3) / 2.0',
    advantage: '(m % 3) - 1.0',
  });
  await copies(manager, 'project_events', `subject = ${id}`, [...all, eachOf(EVENTS, 'm')], {
    subject: copied,
    sequence: `1000000000 + n * ${EVENTS} + m`,
  });
  await copies(manager, 'turns', `flow_id LIKE ${id} || '/%'`, [...all, eachOf(STEPS, 'm')], {
    flow_id: `${copied} || '/' || m % ${STEPS} || '/0/' || m`,
    turn: 'm',
  });
  return run.id;
}

/** Inserts a copy of a row for each row of a series, with other values in some columns: SQL of each by its column. */
async function copies(
  manager: EntityManager,
  table: string,
  template: string,
  series: string[],
  changes: Record<string, string>,
): Promise<void> {
  const others = Object.entries(changes).map(([column, value]) => `'${column}', ${value}`);
  await manager.query(
    `INSERT INTO ${table} SELECT copy.* FROM ${table} AS t CROSS JOIN ${series.join(' CROSS JOIN ')}
       CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object(${others.join(', ')})) AS copy WHERE t.${template}`,
  );
}
