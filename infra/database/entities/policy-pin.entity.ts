import { CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A policy that somebody wants to keep: while its row is there, no collection takes its files. */
@Entity('policy_pins')
export class PolicyPin {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  @PrimaryColumn({ type: 'int' })
  step: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
