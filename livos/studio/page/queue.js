/** Work that is done one after the other, in the order in which it was asked for. */
export class Queue {
  constructor() {
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    this.waiting = 0;
  }

  /** @returns {boolean} whether nothing waits or runs */
  get idle() {
    return this.waiting === 0;
  }

  /**
   * @template Result
   * @param {() => Promise<Result>} work
   * @returns {Promise<Result>} of this work; what failed before does not matter
   */
  add(work) {
    this.waiting++;
    const result = this.last.then(work, work).finally(() => this.waiting--);
    this.last = result.catch(() => {});
    return result;
  }

  /** @returns {Promise<unknown>} once all that was asked for so far is done */
  settled() {
    return this.last;
  }
}
