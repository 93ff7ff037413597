import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { ModelReply } from '../../infra/database/entities/index.js';
import type { TurnKey } from '../trajectories/turn-key.js';
import { untilWritten } from '../trajectories/until-written.js';

/** A reply as it was kept. */
export interface Kept<Reply extends object> {
  reply: Reply;
  /** Whether an earlier attempt of the activity had asked for it. */
  isEarlier: boolean;
}

/** The replies that one attempt of an activity asks for: each is a row before anything depends on it (I15). */
export class KeptReplies {
  private readonly attempt = randomUUID();
  private readonly asked = new Map<string, number>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly key: TurnKey,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * The reply to an equal request that an earlier attempt was given; only where there is none is `ask` called, and what
   * it gives is kept. If attempts race, all of them go on with the reply that was written first.
   * @param request everything that a reply depends on
   * @param account adds what a reply of this attempt cost, in the transaction that keeps it: of every reply that came,
   * once, also of one that came second
   */
  async once<Reply extends object>(
    request: object,
    ask: () => Promise<Reply>,
    account?: (manager: EntityManager, reply: Reply) => Promise<void>,
  ): Promise<Kept<Reply>> {
    const place = this.placeOf(request);
    const earlier = await this.find(this.dataSource.manager, place);
    if (earlier) return { reply: earlier.reply as Reply, isEarlier: true };
    const reply = await ask();
    const first = await untilWritten(this.signal, () => this.keep(place, reply, account));
    return { reply: first as Reply, isEarlier: false };
  }

  private async keep<Reply extends object>(
    place: Place,
    reply: Reply,
    account: ((manager: EntityManager, reply: Reply) => Promise<void>) | undefined,
  ): Promise<unknown> {
    const { attempt } = this;
    return this.dataSource.transaction(async (manager) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(ModelReply)
        .values({ ...place, attempt, reply })
        .orIgnore()
        .returning('attempt')
        .updateEntity(false)
        .execute();
      const isNew = (inserted.raw as unknown[]).length > 0;
      const first = await this.find(manager, place);
      if (!first)
        throw new Error(`The reply kept for ${place.module} in turn ${place.turn} of ${place.flowId} is gone.`);
      // A write whose answer was lost has been counted with its row.
      if (isNew || first.attempt !== attempt) await account?.(manager, reply);
      return first.reply;
    });
  }

  private find(manager: EntityManager, place: Place): Promise<ModelReply | null> {
    return manager.findOneBy(ModelReply, place);
  }

  /** An equal request of the same attempt is another one: its place is counted when it is made, not when it is answered. */
  private placeOf(request: object): Place {
    const requestSha256 = sha256Hex(canonicalJson(request));
    const occurrence = this.asked.get(requestSha256) ?? 0;
    this.asked.set(requestSha256, occurrence + 1);
    return { ...this.key, requestSha256, occurrence };
  }
}

type Place = TurnKey & Pick<ModelReply, 'requestSha256' | 'occurrence'>;
