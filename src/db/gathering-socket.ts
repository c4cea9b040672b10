import { Socket } from 'node:net'

/** When what was written goes out: once the running callback is done, or once all that came in with it is served. */
export type Gathering = (send: () => void) => void

/**
 * A socket that sends in one piece what is written in quick succession. A system call and a wake-up of the server
 * for each statement would cost more than most of the statements do.
 */
export class GatheringSocket extends Socket {
  readonly #later: Gathering
  #isGathering = false

  constructor(later: Gathering) {
    super()
    this.#later = later
  }

  override cork(): void {
    this.#gather()
    super.cork()
  }

  // biome-ignore lint/suspicious/noExplicitAny: as wide as what it overrides
  override write(...args: [any]): boolean {
    this.#gather()
    return super.write(...args)
  }

  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    super.cork()
    this.#later(() => {
      this.#isGathering = false
      super.uncork()
    })
  }
}
