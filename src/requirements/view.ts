import type { Meeting } from '../catalogs/catalog-view.js'
import type { Instant } from '../instant.js'
import {
  coverOf,
  type Gap,
  type Holdings,
  isExcepted,
  missing,
  type Required,
  servingPieces,
} from '../policy/missing.js'
import { askWords, requirementWords } from '../policy/requirement-words.js'
import {
  type Ask,
  type Asked,
  type ControlAsk,
  type RequiringFacts,
  unstatedFor,
} from '../policy/requirements.js'
import type { Tier } from '../use-cases/use-case.js'
import {
  type AskStanding,
  type AskState,
  isWanted,
  type Offer,
  type UseCaseRequirements,
  type Wanted,
} from './requirement.js'

/** What there is to show, and what else is known. */
export interface Shown {
  holdings: Holdings
  /** Titles of evidence that the reader may read, by its id. */
  titles: ReadonlyMap<string, string>
  at: Instant
}

/** What policy in force asks, and what makes it easier. */
export interface Situation extends Shown {
  tier: Tier
  facts: RequiringFacts
  wanted: readonly Wanted[]
  /** What the approval in force excepts from. */
  before: readonly Required[]
  /** Controls of other catalogs that meet those of this one. */
  meetingsOf(catalog: string): readonly Meeting[]
}

/** How far each thing is that policy asks for, by requirement and in the order of policy. Pure. */
export function standingsOf(
  asks: readonly Asked[],
  situation: Situation,
): UseCaseRequirements['requirements'] {
  const requirements = [...new Set(asks.map(({ requirement }) => requirement))]
  return requirements.map((requirement) => {
    const { id, because, ifMissing, exception } = requirement
    return {
      ...{ id, because, ifMissing, exceptionDays: exception?.longestDays ?? null },
      words: requirementWords(requirement),
      unstated: unstatedFor(requirement, situation.tier, situation.facts),
      asks: asks
        .filter((asked) => asked.requirement === requirement)
        .map((asked) => askStanding(asked, situation)),
    }
  })
}

function askStanding(asked: Asked, situation: Situation): AskStanding {
  const found = howFar(asked, situation)
  const { ask } = asked
  const exceptedUntil = isExcepted(asked, situation.before, situation.at)?.exceptedUntil ?? null
  const isThere = found.state === 'met'
  const atDecision = isThere ? 'met' : atDecisionOf(asked, situation.wanted, exceptedUntil)
  const offers = ask.type === 'control' && !isThere ? offersFor(ask, situation) : []
  return { ...found, atDecision, exceptedUntil, offers }
}

function atDecisionOf(
  asked: Asked,
  wanted: readonly Wanted[],
  exceptedUntil: Instant | null,
): AskStanding['atDecision'] {
  if (isWanted(wanted, asked) || exceptedUntil !== null) return 'excepted'
  const { ifMissing } = asked.requirement
  return ifMissing === 'refuse' ? 'refused' : 'condition'
}

/** What an approval required, as it was taken, and how far each thing is now. Pure. */
export function requiredStandings(
  required: readonly Required[],
  shown: Shown,
): NonNullable<UseCaseRequirements['approval']>['required'] {
  return required.map((one) => {
    const { requirement, because, ask, taken, exceptedUntil } = one
    return {
      ...{ requirement, because, taken, exceptedUntil },
      ...howFar({ requirement: { id: requirement }, ask }, shown),
    }
  })
}

function howFar(
  asked: { requirement: { id: string }; ask: Ask },
  { holdings, titles, at }: Shown,
): Pick<AskStanding, 'ask' | 'words' | 'state' | 'until' | 'evidence' | 'next'> {
  const { ask } = asked
  const [gap] = missing([asked], holdings, at)
  return {
    ...{ ask, words: askWords(ask), state: gap ? stateOf(gap.want) : 'met', next: gap?.sentence ?? null },
    until: gap ? null : (coverOf(ask, holdings)?.until ?? null),
    evidence: servingPieces(ask, holdings, at).map(({ piece: { id }, counts }) => ({
      ...{ id, counts, title: titles.get(id) ?? null },
    })),
  }
}

function stateOf(want: Gap['want']): AskState {
  if (want === 'stale') return 'stale'
  return want === 'not_accepted' || want === 'held_back' ? 'waiting' : 'missing'
}

/** "One piece of evidence serves several frameworks": nothing is met by this, somebody has to look. */
function offersFor(ask: ControlAsk, { holdings, meetingsOf }: Situation): Offer[] {
  const meetings = meetingsOf(ask.catalog).filter(({ control }) => control === ask.control)
  return meetings.flatMap(({ catalog, other, relation }) =>
    holdings.controls
      .filter((one) => one.catalog === catalog && one.control === other && one.state === 'in_place')
      .map(({ version, control, evidenceIds }) => ({
        ...{ catalog, version, control, relation, evidenceIds: [...evidenceIds] },
      })),
  )
}

/** Sentences on what is not there, what holds an approval up before the rest. Pure. */
export function nextSteps(requirements: UseCaseRequirements['requirements']): string[] {
  const open = requirements.flatMap(({ asks }) => asks).filter(({ state }) => state !== 'met')
  const steps = (wanted: (one: AskStanding) => boolean) =>
    open.filter(wanted).map(({ next, atDecision }) => `${next}${CONSEQUENCES[atDecision]}`)
  return [
    ...steps(({ atDecision }) => atDecision === 'refused'),
    ...steps(({ atDecision }) => atDecision !== 'refused'),
  ]
}

const CONSEQUENCES: Record<AskStanding['atDecision'], string> = {
  met: '',
  refused: ' (nothing is approved without it)',
  condition: ' (or an approval carries it as a condition)',
  excepted: ' (for a time it is excepted)',
}
