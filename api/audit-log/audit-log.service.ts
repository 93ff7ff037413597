import { randomBytes } from 'node:crypto';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Response } from 'express';
import { DataSource, IsNull } from 'typeorm';
import { type ApiKey, AuditEntry } from '../../infra/database/entities/index.js';
import { redact } from '../../infra/redaction/redact.js';
import type { AuthenticatedRequest } from '../auth/authenticated-request.js';
import { badRequest } from '../common/api-error.js';
import { Background } from '../common/background.js';
import { toList, type List } from '../common/list.dto.js';
import { numberedPage } from '../common/numbered-page.js';
import { REQUEST_ID } from '../common/request-id.js';
import { isOperator } from '../projects/operator.js';
import { toAuditEntryDto, type AuditEntryDto, type AuditLogQuery } from './audit-entry.dto.js';

/** Of a path, a route's name or a user agent that is kept. */
const LONGEST = 500;

type Outcome = Pick<AuditEntry, 'route' | 'target' | 'status' | 'finishedAt'>;

/**
 * Who asked the API to change what. The entry of a request with a valid key is there before the request is carried out:
 * nothing is changed without one, also if the API dies in the middle. That of a request that is refused before follows
 * its answer. No entry holds a body, a query or a header but the user agent.
 */
@Injectable()
export class AuditLogService implements OnModuleDestroy {
  private readonly logger = new Logger(AuditLogService.name);
  /** The entry of each open request that is being carried out. */
  private readonly begun = new WeakMap<Response, string>();
  private readonly background = new Background();

  constructor(private readonly dataSource: DataSource) {}

  /** @throws what the database answers: then the request is not to be carried out */
  async begin(request: AuthenticatedRequest, response: Response): Promise<void> {
    const entry = describe(request, response, new Date());
    await this.entries.insert(entry);
    this.begun.set(response, entry.id);
  }

  /** Not waited for: what is missing then is how the request ended. @param arrived when the request came */
  end(request: AuthenticatedRequest, response: Response, arrived: Date): void {
    this.background.add(this.write(request, response, arrived));
  }

  private async write(request: AuthenticatedRequest, response: Response, arrived: Date): Promise<void> {
    const id = this.begun.get(response);
    const outcome = outcomeOf(request, response);
    try {
      if (id === undefined) await this.entries.insert({ ...describe(request, response, arrived), ...outcome });
      else await this.entries.update({ id, finishedAt: IsNull() }, outcome);
    } catch (error) {
      const which = `${request.method} of the request ${String(response.getHeader(REQUEST_ID))}`;
      this.logger.warn(`How ${which} ended is not in the audit log: ${(error as Error).message}`);
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.background.end();
  }

  /** Newest first: of all projects for an operator, of its own for another admin. */
  async list(caller: ApiKey, query: AuditLogQuery): Promise<List<AuditEntryDto>> {
    const { project } = query;
    const where = isOperator(caller) ? { ...(project !== undefined && { project }) } : ownOf(caller, project);
    const find = (id: string) => this.entries.findOneBy({ ...where, id });
    const listed = { where, order: 'DESC', noun: 'entry', find } as const;
    return toList(await numberedPage(this.entries, listed, query), query.limit, ({ id }) => id, toAuditEntryDto);
  }

  private get entries() {
    return this.dataSource.getRepository(AuditEntry);
  }
}

/** @throws ApiError 400 if an admin asks for another project's */
function ownOf(caller: ApiKey, project = caller.project): { project: string } {
  if (project === caller.project) return { project };
  throw badRequest('unknown_project', `project: there is no project "${project}".`, { param: 'project' });
}

/** With the time of this process, as its end has: an entry that follows the answer is written after it. */
function describe(request: AuthenticatedRequest, response: Response, createdAt: Date) {
  const { method, originalUrl, sentKey } = request;
  return {
    id: `audit-${randomBytes(8).toString('hex')}`,
    project: sentKey?.project ?? null,
    keyId: sentKey?.id ?? null,
    keyName: sentKey?.name ?? null,
    method,
    path: kept(originalUrl.split('?')[0]),
    // Not what a header says: anybody can write X-Forwarded-For.
    address: request.socket.remoteAddress ?? null,
    userAgent: kept(request.get('user-agent')),
    requestId: String(response.getHeader(REQUEST_ID)),
    createdAt,
  } satisfies Partial<AuditEntry>;
}

function outcomeOf({ route, params }: AuthenticatedRequest, response: Response): Outcome {
  const { path } = (route ?? {}) as { path?: unknown };
  const created = response.getHeader('location');
  const target =
    (params as { id?: string } | undefined)?.id ?? (typeof created === 'string' ? lastPart(created) : undefined);
  return {
    route: typeof path === 'string' ? kept(path) : null,
    target: kept(target),
    status: response.headersSent ? response.statusCode : null,
    finishedAt: new Date(),
  };
}

function lastPart(location: string): string | undefined {
  return location.split('/').at(-1);
}

/** Without what looks like a key: somebody may write one where an id belongs. */
function kept<Text extends string | undefined>(text: Text): Text extends string ? string : string | null;
function kept(text: string | undefined): string | null {
  return text === undefined ? null : redact(text).slice(0, LONGEST);
}
