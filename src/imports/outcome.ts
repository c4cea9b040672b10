import { isDeepStrictEqual } from 'node:util'
import type { Question } from '../policy/risk-tiers-file.js'
import { UNKNOWN } from '../policy/risk-tiers-file.js'
import { changedFacts, materialChanges } from '../use-cases/material.js'
import { type Answers, type Facts, keyOf } from '../use-cases/use-case.js'
import type { Outcome, Reason } from './import.js'
import type { ImportedFacts } from './imported-facts.js'
import type { MappedRow } from './map.js'
import { type Conflict, mergeFacts } from './merge.js'
import type { Names } from './names.js'
import type { Note } from './reading.js'

/** What a row is compared with: the use case as it is, and the row that it was last imported from. */
export interface Registered {
  number: number
  retiredAt: string | null
  openReviewId: string | null
  openMaterialFacts: string[] | null
  facts: Facts
  /** The row as it was understood then, and the facts that it meant here. */
  mapped: MappedRow
  base: Facts
  /** The importer may write to its unit. */
  isWithinReach: boolean
}

/** What is to become of a row, decided before anything is written. */
export interface Plan {
  outcome: Outcome
  reasons: Reason[]
  /** Facts to register, or a new version's; null when facts stay. */
  facts: Facts | null
  retires: boolean
  /** Against which the next file is compared; null when this row counts as not seen, so that it is tried again. */
  base: Facts | null
}

export interface Circumstances {
  names: Names
  questions: readonly Question[]
  /** For rows that name no unit. */
  unitId: string
}

/** What a first registration leaves open. */
const blank: Omit<Facts, 'orgUnitId' | 'purpose'> = {
  title: '',
  benefits: '',
  outputs: '',
  jurisdictions: [],
  channels: [],
  stage: 'idea',
  technique: null,
  systemIds: [],
  answers: {},
  businessOwnerId: null,
  riskOwnerId: null,
  tags: [],
}

const NO_PURPOSE = 'The source does not say what this is for.'

/** Pure but for the ids of units and systems that `names` finds missing. */
export function planRow(row: MappedRow, known: Registered | undefined, at: Circumstances): Plan {
  if (row.refused !== undefined) return refuse(row.refused)
  if (!known) return planNew(row, at)
  if (!known.isWithinReach) {
    return refuse(
      'a use case of this register and id lies in a unit that you may not import into; leave the row out',
    )
  }
  return planKnown(row, known, at)
}

function refuse(message: string): Plan {
  const reasons = [{ field: null, message, raw: null, conflict: null }]
  return { outcome: 'refused', reasons, facts: null, retires: false, base: null }
}

/** What is certain is registered; what is not, a person decides. */
function planNew(row: MappedRow, at: Circumstances): Plan {
  const notes = [...row.notes]
  const {
    answers = {},
    purpose = standIn(row, notes),
    ...stated
  } = meaningOf(row.facts, undefined, notes, at)
  const given = Object.entries(answers).filter(([, option]) => option !== UNKNOWN)
  const facts = { ...blank, orgUnitId: at.unitId, ...stated, purpose, answers: Object.fromEntries(given) }
  const outcome = notes.length > 0 ? 'needs_attention' : 'created'
  return { outcome, reasons: notes.map(reasonOf), facts, retires: row.retired, base: facts }
}

function standIn({ retired, notes: noted }: MappedRow, notes: Note[]): string {
  if (!retired && !noted.some(({ field }) => field === 'purpose')) {
    notes.push({ field: 'purpose', message: 'the source states no purpose; write the purpose', raw: '' })
  }
  return NO_PURPOSE
}

function planKnown(row: MappedRow, known: Registered, at: Circumstances): Plan {
  if (isRepeated(row, known)) {
    return { outcome: 'unchanged', reasons: [], facts: null, retires: false, base: known.base }
  }
  const notes = [...row.notes]
  const stated = meaningOf(row.facts, known, notes, at)
  const { facts: merged, taken, conflicts } = mergeFacts({ ...known.base }, stated, { ...known.facts })
  const facts = merged as unknown as Facts // of facts, facts
  const changed = changedFacts(known.facts, facts)
  const retires = row.retired && !known.mapped.retired && known.retiredAt === null
  const obstacle = obstacleOf(known, facts, retires)
  if (obstacle !== undefined) return leaveForAPerson(obstacle)
  const isNews = changed.length > 0 || !isDeepStrictEqual(plain(row), plain(known.mapped))
  const reasons = [
    ...conflicts.map(conflictReason),
    ...retirementReasons(row, known, taken),
    ...(isNews ? notes.map(reasonOf) : []),
  ]
  const isRevised = changed.length > 0 && known.retiredAt === null
  return {
    outcome: reasons.length > 0 ? 'needs_attention' : isRevised || retires ? 'updated' : 'unchanged',
    reasons,
    facts: isRevised ? facts : null,
    retires,
    base: withStated(known.base, stated),
  }
}

/** The source says what it said, and all of it was understood then: most rows of a file that comes again. */
function isRepeated(row: MappedRow, known: Registered): boolean {
  if (!isDeepStrictEqual(plain(row), plain(known.mapped))) return false
  const { orgUnit, systems, businessOwner, riskOwner, answers = {} } = row.facts
  const settled = settledNames({ orgUnit, systems, businessOwner, riskOwner }, known)
  const named = [orgUnit, systems, businessOwner, riskOwner].filter(
    (name) => name !== undefined && name !== null,
  )
  const isAnswered = ([id, option]: [string, string]) =>
    option === UNKNOWN || known.base.answers[id] === option
  return named.length === Object.keys(settled).length && Object.entries(answers).every(isAnswered)
}

/** Rows from before and from now compare by what they say: one of them may have been through JSON. */
function plain({ facts, retired, dates, notes }: MappedRow): object {
  return { facts, retired, dates, notes }
}

function withStated(base: Facts, stated: Partial<Facts>): Facts {
  return { ...base, ...stated, answers: { ...base.answers, ...stated.answers } }
}

/** While a review is open, the facts it decides on stay as they were submitted. */
function obstacleOf(known: Registered, facts: Facts, retires: boolean): string | undefined {
  if (known.openReviewId === null || known.retiredAt !== null) return undefined
  const material = materialChanges(known.facts, facts, known.openMaterialFacts ?? [])
  const key = keyOf(known.number)
  if (retires) return `the source retired it, and a review of ${key} is open; withdraw it, then import again`
  if (material.length === 0) return undefined
  return `a review of ${key} that rests on ${material.join(', ')} is open; decide it, then import again`
}

/** Nothing of the row is taken, and the next import of the same file tries it again. */
export function leaveForAPerson(message: string): Plan {
  const reasons = [{ field: null, message, raw: null, conflict: null }]
  return { outcome: 'needs_attention', reasons, facts: null, retires: false, base: null }
}

function retirementReasons(row: MappedRow, known: Registered, taken: string[]): Reason[] {
  if (known.retiredAt === null) return []
  const key = keyOf(known.number)
  const reasons: Reason[] = []
  if (!row.retired && known.mapped.retired) {
    const message = `the source no longer calls it retired, and ${key} is for good; register it anew if it is in use`
    reasons.push({ field: null, message, raw: null, conflict: null })
  }
  if (taken.length > 0) {
    const message = `the source changed ${taken.join(', ')}, and ${key} is retired here and stays as it is`
    reasons.push({ field: null, message, raw: null, conflict: null })
  }
  return reasons
}

function reasonOf({ field, message, raw }: Note): Reason {
  return { field, message, raw, conflict: null }
}

function conflictReason({ field, theirs, ours }: Conflict): Reason {
  const message = `${field} was changed both in the source and here; what is here stays until somebody decides`
  return { field, message, raw: null, conflict: { source: theirs ?? null, here: ours ?? null } }
}

/** What the row states, in facts of this register; left out where it does not say. */
function meaningOf(
  { orgUnit, systems, businessOwner, riskOwner, answers, ...plain }: Partial<ImportedFacts>,
  known: Registered | undefined,
  notes: Note[],
  { names, questions }: Circumstances,
): Partial<Facts> {
  const named = { orgUnit, systems, businessOwner, riskOwner }
  const settled = known ? settledNames(named, known) : {}
  const open = Object.fromEntries(Object.entries(named).filter(([field]) => !(field in settled)))
  const meant = { ...names.resolve(open, notes), ...Object.assign({}, ...Object.values(settled)) }
  return { ...plain, ...meant, ...(answers && { answers: knownAnswers(answers, questions, notes) }) }
}

type Named = Pick<Partial<ImportedFacts>, 'orgUnit' | 'systems' | 'businessOwner' | 'riskOwner'>

/** A name that the source repeats means what it meant before, though it may be called otherwise here by now. */
function settledNames(named: Named, { mapped, base }: Registered): Record<string, Partial<Facts>> {
  const { orgUnitId, systemIds, businessOwnerId, riskOwnerId } = base
  const isSame = (field: keyof Named) => isDeepStrictEqual(named[field], mapped.facts[field])
  const settled: Record<string, Partial<Facts>> = {}
  if (named.orgUnit && isSame('orgUnit')) settled.orgUnit = { orgUnitId }
  if (named.systems && isSame('systems') && systemIds.length === named.systems.length) {
    settled.systems = { systemIds }
  }
  if (named.businessOwner && isSame('businessOwner') && businessOwnerId !== null) {
    settled.businessOwner = { businessOwnerId }
  }
  if (named.riskOwner && isSame('riskOwner') && riskOwnerId !== null) settled.riskOwner = { riskOwnerId }
  return settled
}

/** Answers that the policy in force offers; the others are put before a person. */
function knownAnswers(answers: Answers, questions: readonly Question[], notes: Note[]): Answers {
  const known = Object.entries(answers).filter(([id, option]) => {
    const question = questions.find((candidate) => candidate.id === id)
    if (question?.options.some((offered) => offered.id === option)) return true
    const message = question
      ? `“${option}” is no answer to it; choose from ${question.options.map(({ id }) => id).join(', ')}`
      : 'nobody asks this question here; leave the column out or correct its name'
    notes.push({ field: `answers.${id}`, message, raw: option })
    return false
  })
  return Object.fromEntries(known)
}
