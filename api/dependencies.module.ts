import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { OperatorFile } from '../infra/config/operator-file.js';
import { RunWorkflows } from './temporal/run-workflows.js';

export const OPERATOR = Symbol('OPERATOR');

/** What the API works on; made, connected and closed by whoever starts it. */
export interface Dependencies {
  dataSource: DataSource;
  workflows: RunWorkflows;
  operator: OperatorFile;
}

/** Offers the dependencies to every module. */
@Global()
@Module({})
export class DependenciesModule {
  static of({ dataSource, workflows, operator }: Dependencies): DynamicModule {
    return {
      module: DependenciesModule,
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: RunWorkflows, useValue: workflows },
        { provide: OPERATOR, useValue: operator },
      ],
      exports: [DataSource, RunWorkflows, OPERATOR],
    };
  }
}
