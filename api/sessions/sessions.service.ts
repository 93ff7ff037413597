import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, LessThan, MoreThan } from 'typeorm';
import { hashApiKey } from '../../infra/database/api-keys.js';
import { ApiKey, Session } from '../../infra/database/entities/index.js';
import type { SessionKind } from '../../infra/database/entities/session.entity.js';

const DAY_MS = 86_400_000;
export const LASTS_MS: Record<SessionKind, number> = { session: 30 * DAY_MS, link: 600_000 };
/** How a link's token begins: it is taken for nothing else. */
export const LINK_PREFIX = 'af-link-';

export interface OpenedSession {
  token: string;
  expiresAt: Date;
}

/** Browsers that have signed in. A session may do what its key may at the time of each request: it ends with the key. */
@Injectable()
export class SessionsService {
  constructor(private readonly dataSource: DataSource) {}

  /** The token is shown to nobody else, and cannot be read again later. */
  async open(keyId: string, kind: SessionKind): Promise<OpenedSession> {
    const sessions = this.dataSource.getRepository(Session);
    await sessions.delete({ expiresAt: LessThan(new Date()) });
    const token = `${kind === 'link' ? LINK_PREFIX : 'af-session-'}${randomBytes(32).toString('base64url')}`;
    const expiresAt = new Date(Date.now() + LASTS_MS[kind]);
    await sessions.insert({ sha256: hashApiKey(token), kind, keyId, expiresAt });
    return { token, expiresAt };
  }

  /** The key of a link, which is used up by this; null if it was used, has expired or never was. */
  async redeem(link: string): Promise<ApiKey | null> {
    const [[used]] = await this.dataSource.query<[{ key_id: string }[], number]>(
      "DELETE FROM sessions WHERE sha256 = $1 AND kind = 'link' AND expires_at > now() RETURNING key_id",
      [hashApiKey(link)],
    );
    return used ? this.dataSource.getRepository(ApiKey).findOneBy({ id: used.key_id }) : null;
  }

  /** The row of the key with which a browser signed in, also if it is no longer accepted; null without a session. */
  async keyOf(sha256: string): Promise<ApiKey | null> {
    const session = await this.dataSource
      .getRepository(Session)
      .findOneBy({ sha256, kind: 'session', expiresAt: MoreThan(new Date()) });
    return session && this.dataSource.getRepository(ApiKey).findOneBy({ id: session.keyId });
  }

  async close(token: string): Promise<void> {
    await this.dataSource.getRepository(Session).delete({ sha256: hashApiKey(token) });
  }
}
