import type { Catalog } from '../catalogs/catalog.js'
import type { ConditionsFile } from './conditions-file.js'
import type { Flaw } from './flaws.js'
import type { GateFile } from './gate-policy.js'
import type { LanesFile } from './lanes.js'
import type { OverlaysFile } from './overlays.js'
import type { RequirementsFile } from './requirements.js'
import { type RiskTiersFile, UNKNOWN } from './risk-tiers-file.js'

/** Files that are each sound by themselves; one that is not is left out, and nothing is said of what rests on it. */
export interface SoundFiles {
  riskTiers?: RiskTiersFile | undefined
  lanes?: LanesFile | undefined
  gate?: GateFile | undefined
  overlays?: OverlaysFile | undefined
  conditions?: ConditionsFile | undefined
  requirements?: RequirementsFile | undefined
  /** Those of the policy folder, if all are sound. */
  catalogs?: readonly Catalog[] | undefined
}

/** Something in one file that does not fit what another says. */
export interface Misfit extends Flaw {
  file: string
}

/** Names that stand in one file and are explained in another. */
interface Named {
  file: string
  path: Flaw['path']
  names: readonly string[]
}

/** Every name in a policy file that another file should know and does not, and every addition that finds no place. */
export function findMisfits(files: SoundFiles): Misfit[] {
  const { riskTiers, lanes, gate, overlays, conditions, requirements, catalogs } = files
  return [
    ...(riskTiers ? misfitsOfFacts(factsNamedIn(files), riskTiers) : []),
    ...(gate ? misfitsOfEnvironments(environmentsNamedIn(files), gate) : []),
    ...(overlays && conditions ? misfitsOfPatterns(overlays, conditions) : []),
    ...(overlays && lanes ? [...misfitsOfStages(overlays, lanes), ...misfitsOfVotes(overlays, lanes)] : []),
    ...(requirements && riskTiers ? misfitsOfAnswers(requirements, riskTiers) : []),
    ...(requirements && catalogs ? misfitsOfControls(requirements, catalogs) : []),
  ]
}

function factsNamedIn({ lanes, overlays }: SoundFiles): Named[] {
  const inLanes: [Flaw['path'], readonly string[]][] = lanes
    ? [
        [['changeClasses', 'minor'], lanes.changeClasses.minor],
        [['changeClasses', 'adaptive'], lanes.changeClasses.adaptive],
        ...lanes.lanes.flatMap(({ materialFacts, precedent }, lane): [Flaw['path'], readonly string[]][] => [
          [['lanes', lane, 'materialFacts'], materialFacts],
          [['lanes', lane, 'precedent', 'sameFacts'], precedent?.sameFacts ?? []],
        ]),
      ]
    : []
  return [
    ...inLanes.map(([path, names]) => ({ file: 'lanes.json', path, names })),
    ...(overlays?.overlays ?? []).map(({ add }, index) => ({
      file: 'overlays.json',
      path: ['overlays', index, 'add', 'materialFacts'],
      names: add.materialFacts ?? [],
    })),
  ]
}

function misfitsOfFacts(named: Named[], { questions }: RiskTiersFile): Misfit[] {
  const asked = new Set(questions.map(({ id }) => `answers.${id}`))
  const isUnasked = (fact: string) => fact.startsWith('answers.') && !asked.has(fact)
  return misfits(named, isUnasked, 'no such question in risk-tiers.json; correct one of them')
}

function environmentsNamedIn({ lanes, overlays, conditions }: SoundFiles): Named[] {
  return [
    ...(lanes?.lanes ?? []).map(({ environments = [] }, index) => ({
      file: 'lanes.json',
      path: ['lanes', index, 'environments'],
      names: environments,
    })),
    ...(overlays?.overlays ?? []).map(({ add }, index) => ({
      file: 'overlays.json',
      path: ['overlays', index, 'add', 'environments'],
      names: add.environments ?? [],
    })),
    ...(conditions?.conditions ?? []).map((pattern, index) => ({
      file: 'conditions.json',
      path: ['conditions', index, 'values'],
      names: pattern.type === 'limit' && pattern.on === 'environment' ? pattern.values : [],
    })),
  ]
}

function misfitsOfEnvironments(named: Named[], { environments }: GateFile): Misfit[] {
  const isUnknown = (name: string) => !Object.hasOwn(environments, name)
  return misfits(named, isUnknown, 'no such environment in gate.json; correct one of them')
}

function misfitsOfPatterns({ overlays }: OverlaysFile, { conditions }: ConditionsFile): Misfit[] {
  const known = new Set(conditions.map(({ id }) => id))
  const named = overlays.map(({ add }, index) => ({
    file: 'overlays.json',
    path: ['overlays', index, 'add', 'conditions'],
    names: add.conditions ?? [],
  }))
  return misfits(named, (id) => !known.has(id), 'no such condition in conditions.json; correct one of them')
}

/** A lane that lacks the stage takes the seat in its last one; a stage that no lane has is a slip. */
function misfitsOfStages({ overlays }: OverlaysFile, { lanes }: LanesFile): Misfit[] {
  const known = new Set(lanes.flatMap(({ stages }) => stages.map(({ id }) => id)))
  return overlays.flatMap(({ add }, index) =>
    (add.seats ?? []).flatMap(({ stage }, seat) =>
      stage === undefined || known.has(stage)
        ? []
        : [
            {
              file: 'overlays.json',
              path: ['overlays', index, 'add', 'seats', seat, 'stage'],
              message: 'no lane in lanes.json has such a stage; correct it or leave it out',
            },
          ],
    ),
  )
}

/** Seats, votes and conditions would be asked for in vain where the owner attests. */
function misfitsOfVotes({ overlays }: OverlaysFile, { lanes }: LanesFile): Misfit[] {
  if (!lanes.some(({ attestation }) => attestation)) return []
  return overlays.flatMap(({ when, add }, index) =>
    (add.seats ?? add.quorum ?? add.conditions) &&
    (when.tiers === undefined || when.tiers.includes('minimal'))
      ? [
          {
            file: 'overlays.json',
            path: ['overlays', index, 'when', 'tiers'],
            message:
              'nobody votes on what is attested as minimal, or sets conditions; name the other tiers only',
          },
        ]
      : [],
  )
}

/** What nobody answered meets every requirement, so that a scope can only name what was answered. */
function misfitsOfAnswers({ requirements }: RequirementsFile, { questions }: RiskTiersFile): Misfit[] {
  const named = requirements.flatMap(({ when }, index) =>
    Object.entries(when.answers ?? {}).map(([question, options]) => ({
      path: ['requirements', index, 'when', 'answers', question],
      question,
      options,
    })),
  )
  return named.flatMap(({ path, question, options }): Misfit[] => {
    const file = 'requirements.json'
    const asked = questions.find(({ id }) => id === question)
    if (!asked) return [{ file, path, message: 'no such question in risk-tiers.json; correct one of them' }]
    const known = asked.options.map(({ id }) => id).filter((id) => id !== UNKNOWN)
    const strange = options.flatMap((option, at) =>
      known.includes(option) ? [] : [{ file, path: [...path, at], message: strangeAnswer(option) }],
    )
    const message = 'every answer is named, so that this rules nothing out; leave the question out'
    return known.every((id) => options.includes(id)) ? [...strange, { file, path, message }] : strange
  })
}

const strangeAnswer = (option: string): string =>
  option === UNKNOWN
    ? 'what nobody answered meets every requirement already; leave it out'
    : 'no such answer to this question in risk-tiers.json; correct one of them'

/** A requirement names what is shipped with the policy, so that it means the same in every installation. */
function misfitsOfControls({ requirements }: RequirementsFile, catalogs: readonly Catalog[]): Misfit[] {
  const file = 'requirements.json'
  return requirements.flatMap(({ controls }, index): Misfit[] => {
    if (!controls) return []
    const path = ['requirements', index, 'controls']
    const versions = catalogs.filter(({ id }) => id === controls.catalog)
    const catalog = versions.find(({ version }) => version === controls.version)
    if (!catalog) {
      const name = versions.length > 0 ? 'version' : 'catalog'
      return [{ file, path: [...path, name], message: `no such ${name} in catalogs/; correct one of them` }]
    }
    const known = new Set([...catalog.functions, ...catalog.categories, ...catalog.controls].map(idOf))
    const message = 'no such control, category or function in this catalog; correct it'
    return controls.ids.flatMap((id, at) =>
      known.has(id) ? [] : [{ file, path: [...path, 'ids', at], message }],
    )
  })
}

const idOf = ({ id }: { id: string }): string => id

function misfits(named: Named[], isStrange: (name: string) => boolean, message: string): Misfit[] {
  return named.flatMap(({ file, path, names }) =>
    names.flatMap((name, index) => (isStrange(name) ? [{ file, path: [...path, index], message }] : [])),
  )
}
