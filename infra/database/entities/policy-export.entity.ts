import { Column, Entity, Index } from 'typeorm';
import type { ExportedFile, ExportStatus } from '../../../contracts/policy-export.js';
import { Submission } from './submission.entity.js';

/** A copy of a policy's files, for whoever downloads them. It stays when its run is deleted. */
@Entity('policy_exports')
@Index('policy_exports_project_number', ['project', 'number'])
export class PolicyExport extends Submission<ExportStatus> {
  /** `<run>@<step>`. */
  @Column({ name: 'policy_name', type: 'text' })
  policyName: string;

  /** Of its tensors. */
  @Column({ name: 'policy_sha256', type: 'text' })
  policySha256: string;

  @Column({ type: 'boolean' })
  merged: boolean;

  /** Once they are there. */
  @Column({ type: 'jsonb', nullable: true })
  files: ExportedFile[] | null;
}
