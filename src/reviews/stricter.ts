import type { Lane, LaneStage } from '../policy/lanes.js'

/** true when the lane in force asks for more than the one a round opened with: an approval would be too cheap. */
export function isStricter(inForce: Lane, opened: Lane): boolean {
  const isNew = (is: (place: LaneStage['seats'][number]) => boolean) =>
    seatsOf(inForce).some(
      (place) => is(place) && !seatsOf(opened).some((old) => old.seat === place.seat && is(old)),
    )
  return (
    quorumOf(inForce) > quorumOf(opened) - droppedBy(inForce, opened) ||
    opened.outcomes.some((outcome) => !inForce.outcomes.includes(outcome)) ||
    isNew((place) => place.required) ||
    isNew((place) => place.veto) ||
    inForce.validForDays < opened.validForDays ||
    inForce.materialFacts.some((fact) => !opened.materialFacts.includes(fact)) ||
    holdsInFewer(inForce, opened)
  )
}

/** Seats that may not vote any more: of the approvals a round needed, as many may be theirs, and would not count. */
function droppedBy(inForce: Lane, opened: Lane): number {
  const kept = new Set(seatsOf(inForce).map(({ seat }) => seat))
  return seatsOf(opened).filter(({ seat }) => !kept.has(seat)).length
}

/** A lane without environments holds everywhere. */
function holdsInFewer({ environments: few }: Lane, { environments: many }: Lane): boolean {
  if (few === undefined) return false
  return many === undefined || many.some((environment) => !few.includes(environment))
}

function quorumOf({ stages }: Lane): number {
  return stages.reduce((sum, { quorum }) => sum + quorum, 0)
}

function seatsOf({ stages }: Lane): LaneStage['seats'] {
  return stages.flatMap(({ seats }) => seats)
}
