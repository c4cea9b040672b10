/** One line of the result. Ratios are ours to the baseline; without a baseline the figure itself is judged. */
export interface Finding {
  deed: string
  /** Use cases in the register; null where the register plays no part. */
  size: number | null
  unit: 'req/s' | 'rows/s' | 'MB/s' | 's' | 'ms' | 'MB'
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

interface Rounds {
  rounds: number
  /** Measures each once beforehand, and forgets it: a process that just started is slower than one that serves. */
  warmUp?: boolean
}

/**
 * Measures each in turn, round after round, so that whatever else the machine does falls on all of them alike.
 * @returns the median of each; undefined where a tool is missing
 */
export async function alternate<K extends string>(
  { rounds, warmUp = false }: Rounds,
  measures: Record<K, Measure>,
): Promise<Record<K, number | undefined>> {
  const samples: Partial<Record<K, number[]>> = {}
  const names = Object.keys(measures) as K[]
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (const name of names) {
      const value = await measures[name]()
      if (value !== undefined && round > 0) samples[name] = [...(samples[name] ?? []), value]
    }
  }
  const medians = names.map((name) => [name, samples[name] && median(samples[name])])
  return Object.fromEntries(medians) as Record<K, number | undefined>
}

/** Seconds that something takes. */
export async function secondsOf(deed: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await deed()
  return (performance.now() - began) / 1000
}
