import { EventEmitter, once } from 'node:events';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EVENT_CHANNEL } from '../../infra/database/event-channel.js';
import { NotificationListener } from '../../infra/database/notification-listener.js';

export const WAKEUP_BOUNDS = {
  /** Between two looks while this process is not told of events. */
  deafMs: 500,
  /** Looks while it is told are so much rarer: for what was missed, and for heartbeats. */
  rarer: 10,
};

/**
 * Says when to look for new events. PostgreSQL tells this process of them on one connection for all streams; the tables
 * are the truth. A telling may be missed, and the connection may be lost: then there is a look now and then.
 */
@Injectable()
export class WakeupsService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(WakeupsService.name);
  private readonly topics = new Map<string, Topic>();
  private readonly listener: NotificationListener;
  private listening = false;
  private timer?: NodeJS.Timeout;
  private ticks = 0;
  private lastWake = 0;

  constructor(dataSource: DataSource) {
    const { url } = dataSource.options as { url: string };
    this.listener = new NotificationListener(url, EVENT_CHANNEL, {
      notified: (id) => this.wake(this.topics.get(id)),
      listening: () => this.turn(true),
      deaf: ({ message }) => this.turn(false, message),
    });
  }

  onApplicationBootstrap(): void {
    this.listener.start();
    this.timer = setInterval(() => this.tick(), WAKEUP_BOUNDS.deafMs);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.listener.stop();
  }

  /**
   * The moments to look for events of what has this id: at once, and whenever there may be new ones. Each has a number;
   * of two looks, the one for the later number sees what the number stands for.
   */
  async *of(id: string, signal: AbortSignal): AsyncGenerator<number, void> {
    const topic = this.join(id);
    try {
      while (!signal.aborted) {
        const { wake } = topic;
        yield wake;
        if (topic.wake === wake) await once(topic, 'wake', { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      topic.readers -= 1;
      if (topic.readers === 0) this.topics.delete(id);
    }
  }

  /** A new topic has a number of its own: no look that was begun for an earlier one is a look for it. */
  private join(id: string): Topic {
    const topic = this.topics.get(id) ?? new Topic(++this.lastWake);
    this.topics.set(id, topic);
    topic.readers += 1;
    return topic;
  }

  private wake(topic: Topic | undefined): void {
    if (!topic) return;
    topic.wake = ++this.lastWake;
    topic.emit('wake');
  }

  private tick(): void {
    this.ticks += 1;
    if (!this.listening || this.ticks % WAKEUP_BOUNDS.rarer === 0) this.wakeAll();
  }

  private wakeAll(): void {
    for (const topic of this.topics.values()) this.wake(topic);
  }

  private turn(listening: boolean, reason?: string): void {
    if (this.listening && !listening) this.logger.warn(`Events are looked for, until they are told again: ${reason}`);
    this.listening = listening;
    // What was told while nobody heard it.
    this.wakeAll();
  }
}

/** What has events, as long as somebody reads them. */
class Topic extends EventEmitter {
  readers = 0;

  constructor(public wake: number) {
    super();
    this.setMaxListeners(0);
  }
}
