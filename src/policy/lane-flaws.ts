import { Tier } from '../use-cases/use-case.js'
import { type Flaw, repeated } from './flaws.js'
import type { Lane, LaneStage, LanesFile } from './lanes.js'

type Draft = Pick<LanesFile, 'changeClasses' | 'lanes'>

/** What is wrong with lanes that each have the right shape. Whether unit keys exist only the register knows. */
export function flawsOfLanes({ changeClasses, lanes }: Draft): Flaw[] {
  return [
    ...repeated(lanes, ({ id }) => id).map((index) => ({
      path: ['lanes', index, 'id'],
      message: 'another lane has this id; give each its own',
    })),
    ...flawsOfClasses(changeClasses),
    ...Tier.options.flatMap((tier) => flawsOfTier(tier, lanes)),
    ...lanes.flatMap((lane, index) =>
      [
        ...flawsOfOutcomes(lane),
        ...flawsOfStages(lane),
        ...flawsOfAttestation(lane),
        ...flawsOfReferences(lane, lanes),
        ...flawsOfEnvironments(lane),
      ].map(({ path, message }) => ({ path: ['lanes', index, ...path], message })),
    ),
  ]
}

/** One fact has one class: `answers` in one and `answers.autonomy` in the other would be two. */
function flawsOfClasses({ minor, adaptive }: Draft['changeClasses']): Flaw[] {
  const isSame = (a: string, b: string) => a === b || a === b.split('.')[0] || b === a.split('.')[0]
  return adaptive.flatMap((fact, index) =>
    minor.some((other) => isSame(fact, other))
      ? [
          {
            path: ['changeClasses', 'adaptive', index],
            message: `${fact} is minor already; keep it in one class`,
          },
        ]
      : [],
  )
}

/**
 * Each tier ends in a lane without further conditions, so nothing falls through; and because a fact left blank
 * takes the first lane that might fit, no lane may stand above one that asks for more votes.
 */
function flawsOfTier(tier: Tier, lanes: Lane[]): Flaw[] {
  const ofTier = lanes.flatMap((lane, index) => (isFor(lane, tier) ? [{ lane, index }] : []))
  if (!ofTier.some(({ lane }) => isUnconditional(lane))) {
    return [{ path: ['lanes'], message: `add a lane for every use case of tier ${tier}` }]
  }
  return ofTier.flatMap(({ lane, index }, at) =>
    ofTier.slice(at + 1).some((below) => quorumOf(below.lane) > quorumOf(lane))
      ? [{ path: ['lanes', index], message: `a stricter lane of tier ${tier} stands below; move it above` }]
      : [],
  )
}

/** A lane without `when` is for no tier: others refer to it. */
function isFor({ when }: Lane, tier: Tier): boolean {
  return when !== undefined && (when.tiers === undefined || when.tiers.includes(tier))
}

function isUnconditional({ when = {} }: Lane): boolean {
  return Object.keys(when).every((name) => name === 'tiers')
}

/** An attestation asks for no vote. */
function quorumOf({ stages }: Lane): number {
  return stages.reduce((sum, { quorum }) => sum + quorum, 0)
}

/** whatever is prohibited is never approved; everything that is voted on can be refused. */
function flawsOfOutcomes(lane: Lane): Flaw[] {
  const { outcomes, attestation } = lane
  const needed = attestation ? (['approved'] as const) : (['blocked', 'changes_requested'] as const)
  const flaws: Flaw[] = needed
    .filter((outcome) => !outcomes.includes(outcome))
    .map((outcome) => ({
      path: ['outcomes'],
      message: `add ${outcome}: every ${attestation ? 'attestation' : 'review'} must be able to end so`,
    }))
  if (outcomes.includes('approved_with_conditions') && !outcomes.includes('approved')) {
    flaws.push({
      path: ['outcomes'],
      message: 'what may be approved with conditions may be approved; add approved',
    })
  }
  if (isFor(lane, 'prohibited') && approves(lane)) {
    flaws.push({ path: ['outcomes'], message: 'a prohibited use cannot be approved; remove approved' })
  }
  return flaws
}

function approves({ outcomes }: Lane): boolean {
  return outcomes.includes('approved') || outcomes.includes('approved_with_conditions')
}

function flawsOfStages({ stages, attestation }: Lane): Flaw[] {
  const flaws: Flaw[] = repeated(stages, ({ id }) => id).map((index) => ({
    path: ['stages', index, 'id'],
    message: 'another stage of this lane has this id; give each its own',
  }))
  if (stages.length === 0 && !attestation) {
    flaws.push({ path: ['stages'], message: 'write at least one stage, or let the owner attest' })
  }
  return [...flaws, ...flawsOfSeats(stages), ...stages.flatMap(flawsOfQuorum)]
}

/** One person votes once a round, so a seat sits once in a lane, whichever stage it is. */
function flawsOfSeats(stages: LaneStage[]): Flaw[] {
  const places = stages.flatMap(({ seats }, stage) => seats.map(({ seat }, at) => ({ seat, stage, at })))
  return repeated(places, ({ seat }) => seat).flatMap((index) => {
    const place = places[index]
    return place
      ? [
          {
            path: ['stages', place.stage, 'seats', place.at],
            message: 'this seat is there twice; remove one',
          },
        ]
      : []
  })
}

function flawsOfQuorum({ seats, quorum }: LaneStage, index: number): Flaw[] {
  const path = ['stages', index, 'quorum']
  const required = seats.filter((seat) => seat.required).length
  if (quorum > seats.length) return [{ path, message: `${seats.length} seats cannot give ${quorum} votes` }]
  if (quorum < required) return [{ path, message: `${required} seats are required; ask for as many votes` }]
  return []
}

function flawsOfAttestation({ when, stages, outcomes, attestation, reReview, precedent }: Lane): Flaw[] {
  if (!attestation) return []
  const flaws: Flaw[] = []
  if (when?.tiers?.join() !== 'minimal') {
    flaws.push({
      path: ['when', 'tiers'],
      message: 'only what is minimal may be attested; write ["minimal"]',
    })
  }
  if (stages.length > 0) {
    flaws.push({ path: ['stages'], message: 'nobody votes on an attestation; remove the stages' })
  }
  if (outcomes.some((outcome) => outcome !== 'approved')) {
    flaws.push({ path: ['outcomes'], message: 'an attestation can only approve; leave approved alone' })
  }
  if (reReview ?? precedent) {
    flaws.push({
      path: ['attestation'],
      message: 'nothing is shorter than attesting again; remove reReview and precedent',
    })
  }
  return flaws
}

/** Only overlays may come to none, where two of them have none in common. */
function flawsOfEnvironments({ environments }: Lane): Flaw[] {
  if (environments?.length !== 0) return []
  return [{ path: ['environments'], message: 'name at least one environment, or leave the list out' }]
}

interface Reference {
  path: (string | number)[]
  to: string
}

function referencesOf({ attestation, reReview, precedent }: Lane): Reference[] {
  const references: { path: string[]; to: string | undefined }[] = [
    { path: ['attestation', 'sampleLane'], to: attestation?.sampleLane },
    { path: ['reReview', 'minor'], to: reReview?.minor },
    { path: ['reReview', 'adaptive'], to: reReview?.adaptive },
    { path: ['precedent', 'lane'], to: precedent?.lane },
  ]
  return references.flatMap(({ path, to }) => (to === undefined ? [] : [{ path, to }]))
}

function flawsOfReferences(lane: Lane, lanes: Lane[]): Flaw[] {
  const flaws = referencesOf(lane).flatMap((reference) => flawsOfReference(lane, reference, lanes))
  const isReached = lanes.some((other) => referencesOf(other).some(({ to }) => to === lane.id))
  if (lane.when === undefined && !isReached) {
    flaws.push({ path: ['id'], message: 'no lane refers to this one; give it a when, or remove it' })
  }
  return flaws
}

/** A lane that is referred to is the end of the way: people vote in it. */
function flawsOfReference(from: Lane, { path, to }: Reference, lanes: Lane[]): Flaw[] {
  const target = lanes.find(({ id }) => id === to)
  if (!target) return [{ path, message: `there is no lane ${to}; correct the id or add the lane` }]
  if (target.attestation || target.stages.length === 0) {
    return [{ path, message: `nobody votes in lane ${to}; refer to one with stages` }]
  }
  if (referencesOf(target).length > 0) {
    return [{ path, message: `lane ${to} refers to another one itself; refer to one that does not` }]
  }
  if (isFor(from, 'prohibited') && approves(target)) {
    return [
      {
        path,
        message: `a prohibited use cannot be approved, as lane ${to} may; refer to none that approves`,
      },
    ]
  }
  return loosenesses(from, target).map((message) => ({ path, message }))
}

/** The shorter way saves votes; what it approves stands on no less, nor longer, nor in more places. */
function loosenesses(from: Lane, to: Lane): string[] {
  const covers = (fact: string) =>
    to.materialFacts.some((name) => name === fact || name === fact.split('.')[0])
  const facts = from.materialFacts.filter((fact) => !covers(fact))
  const isWider = from.environments && !to.environments?.every((name) => from.environments?.includes(name))
  return [
    ...(to.validForDays > from.validForDays
      ? [
          `an approval by lane ${to.id} would stand longer than one by this; let it stand ${from.validForDays} days at most`,
        ]
      : []),
    ...(facts.length > 0
      ? [`in lane ${to.id} ${facts.join(', ')} may change unseen; make it material there too`]
      : []),
    ...(isWider
      ? [`an approval by lane ${to.id} would hold in more environments; name the same ones or fewer`]
      : []),
  ]
}
