import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../infra/artifacts/artifact-store.js';
import type { OperatorFile } from '../infra/config/operator-file.js';
import { Workflows } from './temporal/workflows.js';

export const OPERATOR = Symbol('OPERATOR');
export const ARTIFACTS = Symbol('ARTIFACTS');
export const POLICY_SERVER = Symbol('POLICY_SERVER');

/** What the API works on; made, connected and closed by whoever starts it. */
export interface Dependencies {
  dataSource: DataSource;
  workflows: Workflows;
  artifacts: ArtifactStore;
  operator: OperatorFile;
  /** Address of the policy server, if there is one that the API may ask. */
  policyServer?: string;
}

/** Offers the dependencies to every module. */
@Global()
@Module({})
export class DependenciesModule {
  static of({ dataSource, workflows, artifacts, operator, policyServer }: Dependencies): DynamicModule {
    return {
      module: DependenciesModule,
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: Workflows, useValue: workflows },
        { provide: ARTIFACTS, useValue: artifacts },
        { provide: OPERATOR, useValue: operator },
        { provide: POLICY_SERVER, useValue: policyServer ?? null },
      ],
      exports: [DataSource, Workflows, ARTIFACTS, OPERATOR, POLICY_SERVER],
    };
  }
}
