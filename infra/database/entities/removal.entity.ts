import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ImageRef } from '../../../contracts/flow.js';

/**
 * The deletion of what somebody had submitted. Its row takes the place of the deleted one in one transaction; files and
 * the rows of other tables follow, and whoever finds it unfinished goes on. It stays, so that a repeated request finds
 * that it was done.
 */
@Entity('removals')
@Index('removals_open', ['id'], { where: 'NOT settled' })
export class Removal {
  /** Of what is deleted. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  /** Pictures that it named: those that nothing else names are deleted too. */
  @Column({ type: 'jsonb', default: [] })
  images: ImageRef[];

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When nothing was left. */
  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;

  /** Whether somebody has looked again long afterwards, for what a lost attempt of an activity had written late. */
  @Column({ type: 'boolean', default: false })
  settled: boolean;
}
