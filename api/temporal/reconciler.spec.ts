import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { unavailable } from '../common/api-error.js';
import { Reconciler } from './reconciler.js';

Logger.overrideLogger(false);

interface Row {
  id: string;
}

/** Rows that Temporal answers as it is told to; what was asked for is kept. */
class Queue extends Reconciler<Row> {
  readonly asked: string[] = [];

  constructor(private readonly answers: Record<string, boolean | Error>) {
    super();
  }

  protected listQueued(): Promise<Row[]> {
    return Promise.resolve(Object.keys(this.answers).map((id) => ({ id })));
  }

  protected start({ id }: Row): Promise<boolean> {
    this.asked.push(id);
    const answer = this.answers[id];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }
}

describe(Reconciler, () => {
  it('starts what comes after a row that Temporal refuses, or that has ended', async () => {
    const queue = new Queue({ a: new Error('the summary is too long'), b: false, c: true });
    await queue.reconcile();
    expect(queue.asked).toEqual(['a', 'b', 'c']);
  });

  it('asks no more in a round in which Temporal does not answer', async () => {
    const queue = new Queue({ a: unavailable('temporal_unavailable', 'no answer'), b: true });
    await queue.reconcile();
    expect(queue.asked).toEqual(['a']);
  });
});
