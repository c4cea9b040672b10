import { type Finding, judged, verdictOn } from './finding.js'

const headings = ['deed', 'use cases', 'ours', 'baseline', 'ratio', 'bar', '']

/** One line a finding, in columns. */
export function table(findings: Finding[]): string {
  const lines = [headings, ...findings.map(cells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cells(finding: Finding): string[] {
  const { deed, size, ours, baseline, bar, unit } = finding
  const ratio = baseline ? judged(finding) : undefined
  const limit = 'atLeast' in bar ? `>= ${bar.atLeast}` : `<= ${bar.atMost}`
  return [
    deed,
    size === null ? '' : size.toLocaleString('en'),
    figure(ours, unit),
    baseline ? `${figure(baseline.value, unit)} ${baseline.name}` : '',
    ratio === undefined ? '' : ratio.toFixed(2),
    baseline ? limit : `${limit} ${unit}`,
    verdictOn(finding),
  ]
}

function figure(value: number | undefined, unit: Finding['unit']): string {
  if (value === undefined) return '-'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${unit}`
}

/** For machines: every finding with its ratio and verdict. */
export function toJson(findings: Finding[], about: object): string {
  const lines = findings.map((finding) => ({
    ...finding,
    ratio: finding.baseline ? judged(finding) : undefined,
    verdict: verdictOn(finding),
  }))
  return JSON.stringify({ ...about, findings: lines }, null, 2)
}
