/** What somebody wrote, as text on one line: it makes no heading, link, list or HTML of its own. */
export function plain(said: string): string {
  return said
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>|#~&]/g, '\\$&')
    .replace(/^([-+=]|\d+[.)])/, (start) => `${start.slice(0, -1)}\\${start.slice(-1)}`)
}

/** A heading and a list below it; nothing where there are no lines. */
export function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`
}

/** Parts with a blank line between them, without those that are empty. */
export function page(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** A word of our own as people say it. */
export const words = (word: string): string => word.replaceAll('_', ' ')
