/** One line of the result. Ratios are ours to the baseline; without a baseline the figure itself is judged. */
export interface Finding {
  deed: string
  /** Use cases in the register; null where the register plays no part. */
  size: number | null
  unit: 'req/s' | 's' | 'ms' | 'MB'
  ours: number | undefined
  baseline?: { name: string; value: number | undefined }
  bar: { atLeast: number } | { atMost: number }
}

export type Verdict = 'reached' | 'MISSED' | 'NOT MEASURED'

/** What the bar is about; undefined when there is nothing to judge. */
export function judged({ ours, baseline }: Finding): number | undefined {
  if (ours === undefined) return undefined
  if (!baseline) return ours
  return baseline.value === undefined ? undefined : ours / baseline.value
}

export function verdictOn(finding: Finding): Verdict {
  const value = judged(finding)
  if (value === undefined) return 'NOT MEASURED'
  const { bar } = finding
  const isReached = 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
  return isReached ? 'reached' : 'MISSED'
}

export function median(samples: number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted[sorted.length >> 1]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

type Measure = () => Promise<number | undefined>

/**
 * Measures each in turn, round after round, so that whatever else the machine does falls on all of them alike.
 * @returns the median of each; undefined where a tool is missing
 */
export async function alternate<K extends string>(
  rounds: number,
  measures: Record<K, Measure>,
): Promise<Record<K, number | undefined>> {
  const samples = new Map<string, number[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, measure] of Object.entries<Measure>(measures)) {
      const value = await measure()
      if (value !== undefined) samples.set(name, [...(samples.get(name) ?? []), value])
    }
  }
  const medians = Object.keys(measures).map((name) => {
    const taken = samples.get(name)
    return [name, taken && median(taken)]
  })
  return Object.fromEntries(medians) as Record<K, number | undefined>
}

/** Seconds that something takes. */
export async function secondsOf(deed: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await deed()
  return (performance.now() - began) / 1000
}
