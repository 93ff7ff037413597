import { Column, CreateDateColumn, Entity, PrimaryColumn, Unique } from 'typeorm';
import type {
  PreviewRow,
  UploadCheck,
  UploadFormat,
  UploadLayout,
  UploadReport,
  UploadStatus,
} from '../../../contracts/uploaded-dataset.js';
import { bigintTransformer } from '../bigint.transformer.js';

/** A dataset that a project uploaded. Its bytes are in the artifact store, under their sha256. */
@Entity('uploaded_datasets')
@Unique('uploaded_datasets_project_name', ['project', 'name'])
export class UploadedDataset {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  /** What runs and evaluations name. */
  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  status: UploadStatus;

  @Column({ type: 'text' })
  format: UploadFormat;

  @Column({ type: 'jsonb' })
  layout: UploadLayout;

  @Column({ type: 'text' })
  uri: string;

  /** Of the bytes. */
  @Column({ type: 'text' })
  sha256: string;

  @Column({ type: 'bigint', transformer: bigintTransformer })
  bytes: number;

  @Column({ type: 'jsonb', nullable: true })
  report: UploadReport | null;

  /** Null while it is being checked. */
  @Column({ type: 'jsonb', nullable: true })
  mistakes: UploadCheck['mistakes'] | null;

  /** Only who names the column reads it. */
  @Column({ type: 'jsonb', nullable: true, select: false })
  preview: PreviewRow[] | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'checked_at', type: 'timestamptz', nullable: true })
  checkedAt: Date | null;
}
