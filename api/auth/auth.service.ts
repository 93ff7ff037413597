import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { hashApiKey, isAccepted } from '../../infra/database/api-keys.js';
import { ApiKey } from '../../infra/database/entities/index.js';
import { ApiError } from '../common/api-error.js';
import { Background } from '../common/background.js';
import { NextLook } from '../common/next-look.js';
import { OPERATOR_PROJECT } from '../projects/operator.js';
import { SessionsService } from '../sessions/sessions.service.js';

/** How exactly a key's last use is known, in milliseconds. */
const USE_NOTED_EVERY_MS = 60_000;

@Injectable()
export class AuthService implements OnModuleDestroy {
  private readonly logger = new Logger(AuthService.name);
  /** When each key's use was last noted by this process, or tried to be. */
  private readonly noted = new Map<string, number>();
  private readonly background = new Background();
  private readonly looks = new NextLook((sha256) => this.dataSource.getRepository(ApiKey).findOneBy({ sha256 }));

  private readonly sessionLooks = new NextLook((sha256) => this.sessions.keyOf(sha256));

  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * The row of a key, also of one that is refused; null if there never was such a key. It is read after every request has
   * come: what is revoked is refused from then on by every process.
   */
  async find(key: string): Promise<ApiKey | null> {
    return this.looks.of(hashApiKey(key));
  }

  /** The row of the key with which a browser has signed in; null without a session. */
  async findOfSession(token: string): Promise<ApiKey | null> {
    return this.sessionLooks.of(hashApiKey(token));
  }

  /** The row of the key that a link signs in with, once; null if it was used or is too old. */
  async findOfLink(link: string): Promise<ApiKey | null> {
    return this.sessions.redeem(link);
  }

  /** Lets a key pass, and notes that it is used. @throws ApiError 401 if it was revoked or has expired */
  accept(row: ApiKey): void {
    const now = Date.now();
    if (row.revokedAt) throw refusal(row, 'api_key_revoked', `was revoked at ${row.revokedAt.toISOString()}`);
    if (!isAccepted(row, now)) throw refusal(row, 'api_key_expired', `has expired at ${row.expiresAt?.toISOString()}`);
    this.noteUse(row, now);
  }

  async onModuleDestroy(): Promise<void> {
    await this.background.end();
  }

  /** Not waited for: that a use is not noted keeps no request from its answer. */
  private noteUse({ id, lastUsedAt }: ApiKey, now: number): void {
    const last = Math.max(lastUsedAt?.getTime() ?? 0, this.noted.get(id) ?? 0);
    if (now - last < USE_NOTED_EVERY_MS) return;
    this.noted.set(id, now);
    this.background.add(this.writeUse(id, now));
  }

  private async writeUse(id: string, now: number): Promise<void> {
    try {
      await this.dataSource.getRepository(ApiKey).update({ id }, { lastUsedAt: new Date(now) });
    } catch (error) {
      this.logger.warn(`That ${id} was used could not be noted: ${(error as Error).message}`);
    }
  }
}

/** Told to whoever has the key itself: nobody else learns that there was one. */
function refusal({ id, project }: ApiKey, code: string, why: string): ApiError {
  const ofStack = project === OPERATOR_PROJECT ? ' If it is that of the local stack, "npm run up" makes another.' : '';
  const message = `The API key ${id} ${why}. Ask an admin of the project for another.${ofStack}`;
  return new ApiError(401, 'authentication_error', code, message, { param: 'Authorization' });
}
