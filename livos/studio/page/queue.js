/** Does pieces of work one after another, in the order in which they were added. */
export class Queue {
  constructor() {
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    this.waiting = 0;
  }

  /** @returns {boolean} whether nothing is waiting or running */
  get idle() {
    return this.waiting === 0;
  }

  /**
   * @template Result
   * @param {() => Promise<Result>} work
   * @returns {Promise<Result>} of this work; earlier failures do not affect it
   */
  add(work) {
    this.waiting++;
    const result = this.last.then(work, work).finally(() => this.waiting--);
    this.last = result.catch(() => {});
    return result;
  }

  /** @returns {Promise<unknown>} settles once everything that was added so far is done */
  settled() {
    return this.last;
  }
}
