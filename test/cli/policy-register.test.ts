import fc from 'fast-check'
import t from 'tap'
import { Gathering } from '../../src/cli/policy/gathering.js'
import { linesOf } from '../../src/cli/policy/lines.js'
import type { RegisterLine } from '../../src/cli/policy/register-lines.js'
import { type Effect, type EffectKind, effectKinds } from '../../src/policy/effects.js'

async function* chunksOf(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  let start = 0
  for (let at = 0; start < bytes.length; at += 1) {
    const size = sizes[at % sizes.length] ?? 1
    yield bytes.subarray(start, start + size)
    start += size
  }
}

async function read(bytes: Buffer, sizes: number[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(chunksOf(bytes, sizes))) lines.push(line)
  return lines
}

t.test('lines are the same however the bytes of a register arrive', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '))
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(fc.array(line), sizes, async (lines, sizes) => {
      const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''))
      const found = await read(bytes, sizes)
      return found.length === lines.length && found.every((one, at) => one === lines[at])
    }),
  )
})

t.test('a register that breaks off within a line is none, wherever it does', async (t) => {
  const whole = Buffer.from('{"a":"é"}\n{"b":2}\n')
  for (let end = 1; end < whole.length; end += 1) {
    const isCut = whole[end - 1] !== 10
    const reading = read(whole.subarray(0, end), [3])
    if (isCut) await t.rejects(reading, { code: 'invalid', message: /breaks off in line [12]/ })
    else t.equal((await reading).length, 1)
  }
  const endless = Buffer.alloc(5 * 2 ** 20, 'x')
  await t.rejects(read(endless, [65_536]), { code: 'invalid', message: /line 1 is too long/ })
})

t.test('everything is counted, and of what is listed the worst comes first', async (t) => {
  const useCase = (number: number) => ({ key: `UC-${number}`, title: 'x', orgUnit: 'claims' }) as RegisterLine
  const effect = (kinds: EffectKind[], evidence = { more: [], less: [] } as Effect['evidence']) =>
    ({
      evidence,
      ...{ kinds, tier: null, standing: null, lane: null, rules: { added: [], gone: [] } },
      difference: { changes: [], stricter: false, looser: false },
    }) as unknown as Effect
  const gathering = new Gathering(3)
  for (let number = 1; number <= 1000; number += 1) {
    gathering.add(useCase(number), number % 2 === 0 ? effect(['looser']) : undefined)
  }
  gathering.add(useCase(1001), effect(['tier_raised', 'stricter'], { more: ['RQ-20', 'RQ-10'], less: [] }))
  gathering.add(useCase(1002), effect(['lapse', 'tier_raised'], { more: ['RQ-20'], less: ['RQ-10'] }))
  const { useCases, ...counts } = gathering.result()
  t.strictSame(
    useCases.map(({ key }) => key),
    ['UC-1002', 'UC-1001', 'UC-2'],
  )
  const kinds = { ...Object.fromEntries(effectKinds.map((kind) => [kind, 0])), looser: 500 }
  t.match(counts, { examined: 1002, changed: 502, omitted: 499 })
  t.strictSame(counts.evidence, [
    { requirement: 'RQ-10', more: 1, less: 1 },
    { requirement: 'RQ-20', more: 2, less: 0 },
  ])
  t.strictSame(counts.kinds, { ...kinds, lapse: 1, tier_raised: 2, stricter: 1 })
})
