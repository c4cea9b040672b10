import { exitCodes } from './exit-codes.js'
import type { Heard, Judged } from './gate-answer.js'

export const formats = ['text', 'json', 'github'] as const
export type Format = (typeof formats)[number]

/** What goes to standard output: for a person, for a program, or as annotations of GitHub Actions. */
export function report(judged: Judged, format: Format): string {
  if (format === 'json') return inJson(judged)
  return format === 'github' ? annotate(judged) : inText(judged)
}

function inJson({ outcome, sentence, answer }: Judged): string {
  const json = JSON.stringify({ outcome, exitCode: exitCodes[outcome], sentence, answer: answer ?? null })
  return json.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Empty unless the gate answered: what went wrong is for standard error. */
function inText({ outcome, heard }: Judged): string {
  if (!heard || !['allowed', 'denied', 'not_found', 'break_glass_only'].includes(outcome)) return ''
  const { useCase, environment, validUntil, reasons } = heard
  const subject = `${plain(useCase)} for ${plain(environment)}`
  const until = validUntil === null ? '' : ` until ${plain(validUntil)}`
  const head = outcome === 'allowed' ? `allowed: ${subject}${until}` : `denied: ${subject}`
  return [
    head,
    ...(isWarning(heard) ? ['  warning: policy only warns here; where it enforces this is denied'] : []),
    ...(isEmergency(heard) ? ['  warning: this is an emergency opening, which somebody will review'] : []),
    ...reasons.map(({ code, sentence }) => `  ${plain(code)}: ${plain(sentence)}`),
  ].join('\n')
}

function annotate({ outcome, sentence, heard }: Judged): string {
  const [level, lead] = outcome === 'allowed' && heard ? levelOf(heard) : ['error', '']
  return `::${level} title=Assent gate, ${outcome.replaceAll('_', ' ')}::${escaped(lead + plain(sentence))}`
}

function levelOf(heard: Heard): [level: string, lead: string] {
  if (isWarning(heard)) return ['warning', 'Allowed, because policy only warns here: ']
  return isEmergency(heard) ? ['warning', 'Allowed in an emergency: '] : ['notice', '']
}

function isEmergency({ wouldBe, reasons }: Heard): boolean {
  return wouldBe === 'allow' && reasons.some(({ code }) => code === 'break_glass')
}

function isWarning({ decision, wouldBe }: Heard): boolean {
  return decision === 'allow' && wouldBe === 'deny'
}

/** One line without control characters: nobody writes into a terminal, or a workflow, through an answer. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

/** As workflow commands want it. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
