import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** `link`: opens one session, once. `session`: what a browser that has signed in sends as a cookie. */
export type SessionKind = 'link' | 'session';

/** A browser that may do what an API key may, as long as the key may. The token itself is never stored. */
@Entity('sessions')
export class Session {
  @PrimaryColumn({ type: 'text' })
  sha256: string;

  @Column({ type: 'text' })
  kind: SessionKind;

  @Index('sessions_key')
  @Column({ name: 'key_id', type: 'text' })
  keyId: string;

  @Index('sessions_expiry')
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
