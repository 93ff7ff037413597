import { Column, CreateDateColumn, Entity, Generated, PrimaryColumn, Unique } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/** What rows of users belong to, by its id: no key sees another project's rows. */
@Entity('projects')
@Unique('projects_number', ['number'])
export class Project {
  /** Chosen by who creates it. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  /** Ascending in the order of creation. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  number: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
