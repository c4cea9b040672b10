import type { Refusal } from './caller.js'

/** Tells the story on standard output, a step at a time. */
export class Telling {
  #step = 0

  step(title: string): void {
    this.#step += 1
    console.log(`\n${this.#step}. ${title}`)
  }

  say(line: string): void {
    console.log(`   ${line}`)
  }

  /** What the server answered, in its own words. */
  quote({ detail, rule }: Refusal): void {
    console.log(`     “${detail}”${rule && !detail.includes(rule) ? ` (${rule})` : ''}`)
  }
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

const BAR = 24

/** A share as a bar of text; full only where it is all. */
export function bar(part: number, whole: number): string {
  const filled = whole === 0 ? 0 : Math.floor((part * BAR) / whole)
  return '█'.repeat(filled) + '░'.repeat(BAR - filled)
}
