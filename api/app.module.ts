import { Module, type DynamicModule } from '@nestjs/common';
import { AgentFlowsModule } from './agent-flows/agent-flows.module.js';
import { AuditLogModule } from './audit-log/audit-log.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BenchmarkEvaluationsModule } from './benchmark-evaluations/benchmark-evaluations.module.js';
import { DatasetsModule } from './datasets/datasets.module.js';
import { DependenciesModule, type Dependencies } from './dependencies.module.js';
import { EvaluationsModule } from './evaluations/evaluations.module.js';
import { EventsModule } from './events/events.module.js';
import { ExportsModule } from './exports/exports.module.js';
import { HealthModule } from './health/health.module.js';
import { KeysModule } from './keys/keys.module.js';
import { OpenAiModule } from './openai/openai.module.js';
import { PoliciesModule } from './policies/policies.module.js';
import { ProjectsModule } from './projects/projects.module.js';
import { RegisteredModule } from './registered/registered.module.js';
import { RolloutsModule } from './rollouts/rollouts.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { SubmissionsModule } from './submissions/submissions.module.js';
import { TrainingRunsModule } from './training-runs/training-runs.module.js';
import { UsageModule } from './usage/usage.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

@Module({
  imports: [
    AuthModule,
    SessionsModule,
    ProjectsModule,
    KeysModule,
    AuditLogModule,
    SubmissionsModule,
    TrainingRunsModule,
    EventsModule,
    RolloutsModule,
    PoliciesModule,
    ExportsModule,
    EvaluationsModule,
    BenchmarkEvaluationsModule,
    AgentFlowsModule,
    OpenAiModule,
    RegisteredModule,
    DatasetsModule,
    UsageModule,
    WebhooksModule,
    HealthModule,
  ],
})
export class AppModule {
  static of(dependencies: Dependencies): DynamicModule {
    return { module: AppModule, imports: [DependenciesModule.of(dependencies)] };
  }
}
