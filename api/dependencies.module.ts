import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../infra/artifacts/artifact-store.js';
import type { OperatorFile } from '../infra/config/operator-file.js';
import { EvaluationWorkflows } from './temporal/evaluation-workflows.js';
import { FlowWorkflows } from './temporal/flow-workflows.js';
import { RunWorkflows } from './temporal/run-workflows.js';

export const OPERATOR = Symbol('OPERATOR');
export const ARTIFACTS = Symbol('ARTIFACTS');

/** What the API works on; made, connected and closed by whoever starts it. */
export interface Dependencies {
  dataSource: DataSource;
  workflows: RunWorkflows;
  flows: FlowWorkflows;
  evaluations: EvaluationWorkflows;
  artifacts: ArtifactStore;
  operator: OperatorFile;
}

/** Offers the dependencies to every module. */
@Global()
@Module({})
export class DependenciesModule {
  static of({ dataSource, workflows, flows, evaluations, artifacts, operator }: Dependencies): DynamicModule {
    return {
      module: DependenciesModule,
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: RunWorkflows, useValue: workflows },
        { provide: FlowWorkflows, useValue: flows },
        { provide: EvaluationWorkflows, useValue: evaluations },
        { provide: ARTIFACTS, useValue: artifacts },
        { provide: OPERATOR, useValue: operator },
      ],
      exports: [DataSource, RunWorkflows, FlowWorkflows, EvaluationWorkflows, ARTIFACTS, OPERATOR],
    };
  }
}
