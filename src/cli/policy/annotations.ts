import { plain } from '../gate-report.js'

export interface Annotation {
  level: 'error' | 'warning' | 'notice'
  title: string
  message: string
  at?: { file: string; line: number; column: number }
}

/** A workflow command of GitHub Actions, which shows the message beside the line in a pull request. */
export function annotate({ level, title, message, at }: Annotation): string {
  const place = at ? [`file=${property(at.file)}`, `line=${at.line}`, `col=${at.column}`] : []
  return `::${level} ${[...place, `title=${property(title)}`].join(',')}::${data(plain(message))}`
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(plain(text)).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
