import {
  type IdOf,
  label,
  listed,
  OSCAL_VERSION,
  oneLine,
  prop,
  tokensOf,
} from '../catalogs/oscal-writing.js'
import type { Instant } from '../instant.js'
import type { ControlState } from '../policy/requirements.js'
import type { Stage } from '../use-cases/use-case.js'
import type { KnownCatalogs } from './coverage.js'
import { type ControlProfile, nameOf, type ProfileEntry } from './profile.js'

/** What is written of a use case. */
export interface Written {
  profile: ControlProfile
  /** Facts of the use case, as they are. */
  useCase: {
    purpose: string
    outputs: string
    stage: Stage
    isRetired: boolean
    businessOwnerId: string | null
    riskOwnerId: string | null
    updatedAt: Instant
  }
  catalogs: KnownCatalogs
  /** Of people, by id, as far as the caller may read them. */
  names: ReadonlyMap<string, string>
}

/** Ids and tokens of one document. */
interface Writing extends Written {
  idOf: IdOf
  tokenOf(entry: { catalog: string; version: string; control: string }): string
}

function writing(written: Written, idOf: IdOf): Writing {
  const tokens = new Map<string, Map<string, string>>()
  for (const entry of written.profile.controls) {
    const name = nameOf(entry)
    if (tokens.has(name)) continue
    const known = (written.catalogs.get(name)?.controls ?? []).map(({ id }) => id)
    const shown = written.profile.controls.filter((one) => nameOf(one) === name).map((one) => one.control)
    tokens.set(name, tokensOf(new Set([...known, ...shown])))
  }
  const tokenOf: Writing['tokenOf'] = (entry) =>
    tokens.get(nameOf(entry))?.get(entry.control) ?? entry.control
  return { ...written, idOf: (name) => idOf(`${written.profile.useCaseId} ${name}`), tokenOf }
}

/**
 * The profile as an OSCAL system security plan: of the models of OSCAL the one that says of one system how far each
 * control is, and the one that tools take in for this. It holds the OSCAL profile that it imports. The same profile gives
 * the same document, with the same ids.
 *
 * In place is `implemented`, planned `planned`, not applicable `not-applicable`. Not effective is `partial`, the nearest
 * that claims less than it being implemented. Of what nobody assessed it names the control and claims nothing.
 */
export function planToOscal(written: Written, idOf: IdOf): object {
  const of = writing(written, idOf)
  const { profile, useCase, names } = of
  const people = peopleOf(of)
  const body = {
    metadata: {
      ...headOf(of, `Controls of ${profile.key}, ${profile.title}`),
      roles: roles.map(([id, title]) => ({ id, title })),
      ...listed(
        'parties',
        people.map((id) => partyOf(of, id, names.get(id))),
      ),
      ...listed('responsible-parties', responsibleFor(of)),
    },
    'import-profile': { href: `#${of.idOf('profile resource')}` },
    'system-characteristics': characteristicsOf(of),
    'system-implementation': {
      users: [
        {
          uuid: of.idOf('owners'),
          title: 'Whoever answers for it',
          'role-ids': ['business-owner', 'risk-owner'],
        },
      ],
      components: [
        {
          ...{
            uuid: of.idOf('component'),
            type: 'this-system',
            title: profile.title,
            description: useCase.purpose,
          },
          status: {
            state: isRunning(useCase)
              ? 'operational'
              : useCase.isRetired
                ? 'disposition'
                : 'under-development',
          },
        },
      ],
    },
    'control-implementation': {
      description: `How far each control of ${profile.key} is, as somebody assessed it.`,
      'implemented-requirements': profile.controls.map((entry) => requirementOf(of, entry)),
    },
    'back-matter': { resources: [profileResource(of, idOf), ...evidenceOf(of)] },
  }
  return { 'system-security-plan': identified(of, 'plan', body) }
}

/** The controls that the profile names, as an OSCAL profile over the catalogs of this server. */
export function selectionToOscal(written: Written, idOf: IdOf): object {
  const of = writing(written, idOf)
  const { controls, key } = of.profile
  const names = [...new Set(controls.map(nameOf))]
  const body = {
    metadata: headOf(of, `Controls that are looked at for ${key}`),
    imports: names.map((name) => ({
      href: `#${of.idOf(`catalog ${name}`)}`,
      'include-controls': [{ 'with-ids': controls.filter((one) => nameOf(one) === name).map(of.tokenOf) }],
    })),
    'back-matter': { resources: names.map((name) => catalogResource(of, name)) },
  }
  return { profile: identified(of, 'profile', body) }
}

/** A document is named by what is in it: where anything differs, its id does too. */
function identified(of: Writing, what: string, body: object): object {
  return { uuid: of.idOf(`${what} ${JSON.stringify(body)}`), ...body }
}

const roles = [
  ['business-owner', 'Business owner, who answers for its outcome'],
  ['risk-owner', 'Risk owner, who answers for its risk'],
  ['assessor', 'Whoever assessed a control'],
] as const

function headOf({ profile, useCase }: Writing, title: string) {
  const { asOf, revision, policyDigest } = profile
  const [modified = asOf] = [useCase.updatedAt, asOf].sort()
  return {
    ...{
      title: oneLine(title),
      'last-modified': modified,
      version: `${revision}`,
      'oscal-version': OSCAL_VERSION,
    },
    props: [prop('policy', policyDigest)],
  }
}

function peopleOf({ profile, useCase: { businessOwnerId, riskOwnerId } }: Writing): string[] {
  const assessors = profile.controls.map(({ assessedBy }) => assessedBy)
  return [...new Set([businessOwnerId, riskOwnerId, ...assessors])].filter((id) => id !== null)
}

function partyOf({ idOf }: Writing, id: string, name: string | undefined) {
  return {
    ...{ uuid: idOf(`person ${id}`), type: 'person' },
    ...(name !== undefined && { name: oneLine(name) }),
    'external-ids': [{ scheme: 'urn:assent:ns:person', id }],
  }
}

function responsibleFor({ idOf, useCase: { businessOwnerId, riskOwnerId } }: Writing) {
  const owners = [
    { role: 'business-owner', id: businessOwnerId },
    { role: 'risk-owner', id: riskOwnerId },
  ]
  return owners.flatMap(({ role, id }) =>
    id === null ? [] : [{ 'role-id': role, 'party-uuids': [idOf(`person ${id}`)] }],
  )
}

const isRunning = ({ stage, isRetired }: Writing['useCase']): boolean =>
  !isRetired && (stage === 'pilot' || stage === 'deployed')

function characteristicsOf({ profile, useCase }: Writing) {
  const state = useCase.isRetired ? 'disposition' : isRunning(useCase) ? 'operational' : 'under-development'
  return {
    'system-ids': [{ 'identifier-type': 'urn:assent:ns:use-case', id: profile.useCaseId }],
    'system-name': oneLine(profile.title),
    'system-name-short': profile.key,
    description: useCase.purpose,
    props: [prop('tier', profile.tier), prop('stage', useCase.stage)],
    'system-information': {
      'information-types': [{ title: 'What it gives out', description: useCase.outputs || useCase.purpose }],
    },
    status: { state },
    'authorization-boundary': {
      description: 'The use case as it is registered, with the systems it runs on.',
    },
  }
}

const implementation: Record<Exclude<ControlState, 'not_assessed'>, string> = {
  ...{
    in_place: 'implemented',
    planned: 'planned',
    not_effective: 'partial',
    not_applicable: 'not-applicable',
  },
}

function requirementOf(of: Writing, entry: ProfileEntry): object {
  const { idOf, tokenOf } = of
  const { control, applies, asked, missing } = entry
  return {
    ...{ uuid: idOf(`control ${nameOf(entry)} ${control}`), 'control-id': tokenOf(entry) },
    props: [
      ...[label(control), prop('catalog', nameOf(entry)), prop('applies', String(applies))],
      ...asked.map(({ requirement }) => prop('requirement', requirement)),
    ],
    ...listed('by-components', implementedBy(of, entry)),
    ...(missing.length > 0 && { remarks: missing.join('\n\n') }),
  }
}

/** Nothing where nobody assessed it: to name a component there would claim that it is implemented. */
function implementedBy({ idOf }: Writing, entry: ProfileEntry): object[] {
  const { state, note, assessedBy, assessedAt, evidence, copiedFrom } = entry
  if (state === 'not_assessed' || assessedBy === null || assessedAt === null) return []
  const said = state.replaceAll('_', ' ')
  return [
    {
      ...{
        'component-uuid': idOf('component'),
        uuid: idOf(`implementation ${nameOf(entry)} ${entry.control}`),
      },
      description: note || `Assessed as ${said}, without a note.`,
      props: [
        ...[prop('assessed-as', state), prop('assessed-at', assessedAt)],
        ...(copiedFrom === null ? [] : [prop('copied-from', copiedFrom)]),
      ],
      ...listed(
        'links',
        evidence.map(({ id }) => ({ href: `#${idOf(`evidence ${id}`)}`, rel: 'evidence' })),
      ),
      'implementation-status': { state: implementation[state], remarks: note || `Assessed as ${said}.` },
      'responsible-roles': [{ 'role-id': 'assessor', 'party-uuids': [idOf(`person ${assessedBy}`)] }],
    },
  ]
}

function profileResource(of: Writing, idOf: IdOf): object {
  const { key } = of.profile
  const value = Buffer.from(JSON.stringify(selectionToOscal(of, idOf))).toString('base64')
  const mediaType = 'application/oscal.profile+json'
  return {
    ...{ uuid: of.idOf('profile resource'), title: `Controls that are looked at for ${key}` },
    rlinks: [{ href: `/v1/use-cases/${key}/profile?format=oscal-profile`, 'media-type': mediaType }],
    base64: { filename: `${key}.oscal-profile.json`, 'media-type': mediaType, value },
  }
}

function catalogResource({ idOf, catalogs }: Writing, name: string): object {
  const [id = '', version = ''] = name.split('@')
  const href = `/v1/catalogs/${id}/oscal?version=${encodeURIComponent(version)}`
  return {
    ...{ uuid: idOf(`catalog ${name}`), title: catalogs.get(name)?.title ?? name },
    rlinks: [{ href, 'media-type': 'application/oscal.catalog+json' }],
  }
}

/** Each piece once, however many controls it serves; its bytes are fetched from Assent and compared with the digest. */
function evidenceOf({ idOf, profile }: Writing): object[] {
  const pieces = new Map(
    profile.controls.flatMap(({ evidence }) => evidence.map((piece) => [piece.id, piece])),
  )
  return [...pieces.values()].map(({ id, kind, title, digest, counts }) => ({
    ...{ uuid: idOf(`evidence ${id}`), title: title || `Evidence ${id}` },
    props: [prop('counts', String(counts)), ...(kind === null ? [] : [prop('kind', kind)])],
    rlinks: [
      {
        href: `/v1/evidence/${id}/content`,
        ...(digest !== null && { hashes: [{ algorithm: 'SHA-256', value: digest.replace(/^sha256:/, '') }] }),
      },
    ],
  }))
}
