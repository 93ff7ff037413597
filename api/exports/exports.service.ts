import { Inject, Injectable } from '@nestjs/common';
import type { ExportedFile, PolicyExportInput } from '../../contracts/policy-export.js';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { exportedFile } from '../../infra/artifacts/run-directory.js';
import type { Checked } from '../../infra/config/submitted/config-issues.js';
import type { PolicyExport } from '../../infra/database/entities/index.js';
import { notFound } from '../common/api-error.js';
import type { List } from '../common/list.dto.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { unknownPolicy } from '../submissions/known-policies.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { Submissions, type Place } from '../submissions/submissions.js';
import type { Draft } from '../submissions/submissions.repository.js';
import { Workflows, type WorkflowStart } from '../temporal/workflows.js';
import { toExportDto, type ExportBody, type ExportDto, type ExportsQuery } from './export.dto.js';
import { ExportsRepository } from './exports.repository.js';

/** What is submitted: the policy comes from the path. */
interface Submitted extends ExportBody {
  policy: string;
}

/** A file of an export, and where it lies on this machine. */
export interface FoundFile extends ExportedFile {
  exportId: string;
  path: string;
}

@Injectable()
export class ExportsService extends Submissions<PolicyExport, ExportDto, Submitted> {
  constructor(
    repository: ExportsRepository,
    workflows: Workflows,
    reconciler: ReconcilerService,
    removals: RemovalsService,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {
    super(
      {
        noun: 'export',
        workflow: 'policyExport',
        body: 'an export',
        invalid: 'invalid_export',
        refused: 'The export cannot be accepted',
        prefix: 'export',
        notFound: 'export_not_found',
        ended: 'export_ended',
        revive: (id) => `npx agentflow exports revive ${id}`,
        kept: () => 'Its policy stays where it was.',
      },
      repository,
      workflows,
      removals,
    );
    reconciler.add(this);
  }

  /**
   * Copies a policy into files for download. The policy stays until the copy has ended.
   * @param policy one that is known; 400 if its files are gone
   */
  async export(
    project: string,
    policy: string,
    body: ExportBody,
    idempotencyKey?: string,
  ): Promise<{ dto: ExportDto; created: boolean }> {
    return this.create(project, { policy, ...body }, idempotencyKey, { export: policy, ...body });
  }

  async listBy(project: string, { status, policy, ...page }: ExportsQuery): Promise<List<ExportDto>> {
    return this.list(project, page, (query) => {
      if (status !== undefined) query.andWhere('submission.status = :status', { status });
      if (policy !== undefined) query.andWhere('submission.policy_name = :policy', { policy });
      return query;
    });
  }

  /** @throws ApiError 404, also as long as the export is not completed */
  async file(project: string, id: string, name: string): Promise<FoundFile> {
    const { status, files } = await this.load(project, id);
    const file = files?.find((one) => one.name === name);
    if (file) return { ...file, exportId: id, path: this.artifacts.localPath(exportedFile(id, name)) };
    const message = `${id} has no file "${name}"; it is ${status}.`;
    throw notFound('export_file_not_found', message, { param: 'name' });
  }

  protected override check(body: unknown): Checked<Submitted> {
    return { config: body as Submitted };
  }

  protected override async draft(place: Place, { policy: name, merged }: Submitted): Promise<Draft<PolicyExport>> {
    const policy = await this.repository.findPolicy(place.project, name);
    if (!policy) throw unknownPolicy(name);
    const row = { ...place, policyName: name, policySha256: policy.sha256, merged, files: null };
    return { row, policies: [{ param: 'id', policy }] };
  }

  protected override startOf({ id, policyName: policy, merged, statusVersion: version }: PolicyExport): WorkflowStart {
    const input: Omit<PolicyExportInput, 'settings'> = { id, policy, merged, ...(version > 0 && { version }) };
    return { input, isNext: version > 0, staticSummary: merged ? `${policy}, merged` : policy };
  }

  protected override toDto(row: PolicyExport): ExportDto {
    return toExportDto(row);
  }
}
