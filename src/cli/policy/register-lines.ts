import { z } from 'zod'
import { RegistryError } from '../../errors.js'
import { explain } from '../../issues.js'
import type { Registered } from '../../policy/effects.js'
import { UseCaseRecord } from '../../registers/register.js'
import { linesOf } from './lines.js'

const { key, title, orgUnit, orgUnitKeys, answers, technique, channels, jurisdictions } = UseCaseRecord.shape
const { tier, computedTier, raisedTier, loweredTier, approvedTier, firedRules } = UseCaseRecord.shape
const { standing, reasons, openReviewId } = UseCaseRecord.shape

/** What of a record decides; whatever else it holds, of this version or another one, is left aside. */
const Line = z.object({
  ...{ key, title, orgUnit, orgUnitKeys, answers, technique, channels, jurisdictions },
  ...{ tier, computedTier, raisedTier, loweredTier, approvedTier, firedRules },
  ...{ standing, reasons, openReviewId },
})

/** A use case as the export of a register has it. */
export interface RegisterLine extends Registered {
  key: string
  title: string
  orgUnit: string
}

/**
 * Reads the NDJSON of the register of use cases.
 * @throws RegistryError `invalid` with the line that is none: nothing is left out without a word
 */
export async function* readRegister(chunks: AsyncIterable<Buffer>): AsyncGenerator<RegisterLine> {
  let number = 0
  for await (const text of linesOf(chunks)) {
    number += 1
    const { orgUnitKeys: unitKeys, ...record } = parseLine(text, number)
    yield { ...record, unitKeys }
  }
}

function parseLine(text: string, number: number): z.infer<typeof Line> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refusal(number, 'is not JSON')
  }
  const { data, error } = Line.safeParse(value, { error: explain })
  if (data) return data
  const [issue] = error.issues
  throw refusal(
    number,
    `is no use case of this version of Assent: ${issue?.path.join('.')} ${issue?.message}`,
  )
}

function refusal(number: number, what: string): RegistryError {
  const remedy = 'export the use cases again, as NDJSON'
  return new RegistryError('invalid', `line ${number} of the register ${what}; ${remedy}`)
}
