import type { PackageManifest } from '../../packages/package.js'
import { type Code, type Finding, listOf, type Row, rowOf } from './finding.js'

interface Piece {
  digest: string
  kind: string
  /** Kept, disposed and so on, when the package was made. */
  content: string
  disposedAt: string | null
  isFile: boolean
}

interface Assessment {
  ordinal: number
  at: string
  state: string
}

/** What is there besides the records, as far as they speak of it. */
export interface There {
  /** Whether a file of evidence is in the package, by its digest. */
  hasBytes(digest: string): boolean
  hasCertificate(evidenceId: string): boolean
  /** Of the use case, in the log. */
  lastEventNo(useCaseId: string): number
}

/** Whether what the records speak of is there: evidence, assessments, exceptions, certificates and catalogs. */
export class References {
  readonly #evidence = new Map<string, Piece>()
  readonly #decisions: Row[] = []
  readonly #exceptions = new Map<string, Row>()
  /** By use case, catalog and control. */
  readonly #assessments = new Map<string, Assessment[]>()
  /** Evidence that an assessment names, by the assessment. */
  readonly #named: { id: string; evidenceIds: string[] }[] = []
  /** By key and version, to an assessment that names it. */
  readonly #catalogsNamed = new Map<string, string>()
  readonly #catalogs = new Set<string>()
  readonly #disposed = new Set<string>()
  readonly #lastEventNos = new Map<string, number>()

  read(file: string, row: Row): void {
    readers[file]?.call(this, row)
  }

  /** One that was imported, or one of a policy, whose file calls its key `id`. */
  readCatalog({ key, id, version }: Row): void {
    this.#catalogs.add(`${key ?? id}@${version}`)
  }

  readUseCase({ id, lastEventNo }: Row): void {
    this.#lastEventNos.set(String(id), Number(lastEventNo ?? 0))
  }

  readDecision({ id, useCaseId, decidedAt, evidence, required }: Row): void {
    this.#decisions.push({ id, useCaseId, decidedAt, evidence, required })
  }

  readException({ id, useCaseId, decisionId }: Row): void {
    this.#exceptions.set(String(id), { useCaseId, decisionId })
  }

  readEvidence({ id, digest, kind, form, content, disposedAt }: Row): void {
    const disposed = typeof disposedAt === 'string' ? disposedAt : null
    const piece = { digest: String(digest), kind: String(kind), content: String(content) }
    this.#evidence.set(String(id), { ...piece, disposedAt: disposed, isFile: form === 'file' })
  }

  readAssessment(row: Row): void {
    const catalog = `${row.catalog}@${row.version}`
    const place = `${row.useCaseId} ${catalog} ${row.control}`
    const said = { ordinal: Number(row.ordinal), at: String(row.assessedAt), state: String(row.state) }
    this.#assessments.set(place, [...(this.#assessments.get(place) ?? []), said])
    if (!this.#catalogsNamed.has(catalog)) this.#catalogsNamed.set(catalog, String(row.id))
    const evidenceIds = listOf(row.evidenceIds).map(String)
    if (evidenceIds.length > 0) this.#named.push({ id: String(row.id), evidenceIds })
  }

  readDisposal({ verdict, pieces }: Row): void {
    if (verdict !== 'confirmed') return
    for (const piece of listOf(pieces)) this.#disposed.add(String(rowOf(piece).evidenceId))
  }

  *conclude(manifest: PackageManifest, there: There): Generator<Finding> {
    yield* this.#concludeEvidence(manifest, there)
    for (const decision of this.#decisions) yield* this.#concludeDecision(decision)
    const decisions = new Map(this.#decisions.map(({ id, useCaseId }) => [id, useCaseId]))
    for (const [id, { decisionId, useCaseId }] of this.#exceptions) {
      if (decisions.get(decisionId) === useCaseId) continue
      yield found(
        'RECORD_MISSING',
        `exception ${id}`,
        `the decision ${decisionId} that granted it is not there`,
      )
    }
    for (const { id, evidenceIds } of this.#named) {
      const missing = evidenceIds.filter((one) => !this.#evidence.has(one))
      if (missing.length === 0) continue
      yield found('RECORD_MISSING', `assessment ${id}`, `it names evidence ${missing.join(', ')}, not there`)
    }
    for (const [catalog, id] of this.#catalogsNamed) {
      if (this.#catalogs.has(catalog)) continue
      yield found('CATALOG_MISSING', `assessment ${id}`, `the catalog ${catalog} that it names is not there`)
    }
    for (const [id, last] of this.#lastEventNos) {
      const end = there.lastEventNo(id)
      if (end === last) continue
      yield found(
        'EVENT_NO_GAP',
        `use case ${id}`,
        `it has ${last} events, and the log here ends with ${end}`,
      )
    }
  }

  /** Of a package of the first version, in which every file came with its bytes. */
  *concludeFiles(hasBytes: There['hasBytes']): Generator<Finding> {
    for (const [id, { digest, isFile }] of this.#evidence) {
      if (isFile && !hasBytes(digest))
        yield found('EVIDENCE_MISSING', `evidence ${id}`, `${digest} is not there`)
    }
  }

  *#concludeEvidence({ asOf, evidence }: PackageManifest, there: There): Generator<Finding> {
    for (const [id, { digest, content, disposedAt, isFile }] of this.#evidence) {
      const where = `evidence ${id}`
      if (evidence.form === 'bytes' && isFile && content === 'kept' && !there.hasBytes(digest)) {
        yield found('EVIDENCE_MISSING', where, `${digest} is not there`)
      }
      if (content !== 'disposed') continue
      if (!this.#disposed.has(id)) {
        yield found('CERTIFICATE_MISSING', where, 'it was disposed of, and no confirmed disposal says so')
      } else if (disposedAt !== null && disposedAt <= asOf && !there.hasCertificate(id)) {
        yield found(
          'CERTIFICATE_MISSING',
          where,
          'it was disposed of, and the log has no certificate of that',
        )
      }
    }
  }

  *#concludeDecision({ id, useCaseId, decidedAt, evidence, required }: Row): Generator<Finding> {
    const where = `decision ${id}`
    const pieces = listOf(evidence).map(rowOf)
    for (const piece of pieces) {
      if (this.#evidence.get(String(piece.id))?.digest === piece.digest) continue
      yield found('RECORD_MISSING', where, `it rests on evidence ${piece.id} with ${piece.digest}, not there`)
    }
    const kinds = new Set(pieces.map((piece) => this.#evidence.get(String(piece.id))?.kind))
    for (const { requirement, ask, taken, exceptionId } of listOf(required).map(rowOf)) {
      const asked = rowOf(ask)
      if (taken === 'met' && asked.type === 'evidence' && !kinds.has(String(asked.kind))) {
        yield found(
          'REQUIRED_MISSING',
          where,
          `${requirement} was met by a ${asked.kind}, which is not there`,
        )
      }
      if (taken === 'met' && asked.type === 'control' && !this.#wasInState(useCaseId, asked, decidedAt)) {
        const control = `${asked.catalog}@${asked.version} ${asked.control}`
        yield found(
          'REQUIRED_MISSING',
          where,
          `${requirement} was met by ${control}, which was in no such state`,
        )
      }
      if (taken === 'excepted' && this.#exceptions.get(String(exceptionId))?.useCaseId !== useCaseId) {
        yield found('REQUIRED_MISSING', where, `${requirement} was excepted, and the exception is not there`)
      }
    }
  }

  #wasInState(useCaseId: unknown, asked: Row, decidedAt: unknown): boolean {
    const place = `${useCaseId} ${asked.catalog}@${asked.version} ${asked.control}`
    const before = (this.#assessments.get(place) ?? []).filter(({ at }) => at <= String(decidedAt))
    const last = before.reduce<Assessment | undefined>(
      (a, b) => (a && a.ordinal > b.ordinal ? a : b),
      undefined,
    )
    return last !== undefined && listOf(asked.states).includes(last.state)
  }
}

const readers: Record<string, (this: References, row: Row) => void> = {
  'register.ndjson': References.prototype.readUseCase,
  'decisions.ndjson': References.prototype.readDecision,
  'exceptions.ndjson': References.prototype.readException,
  'evidence.ndjson': References.prototype.readEvidence,
  'profiles.ndjson': References.prototype.readAssessment,
  'disposals.ndjson': References.prototype.readDisposal,
  'catalogs.ndjson': References.prototype.readCatalog,
}

function found(code: Code, where: string, message: string): Finding {
  return { code, where, message }
}
