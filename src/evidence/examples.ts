import { legalMemberId, riskOwner } from '../people/examples.js'
import { useCase } from '../use-cases/examples.js'

export const evidence = {
  id: '019c47da-1300-779b-9bcc-f850598d6ed7',
  useCaseId: useCase.id,
  kind: 'bias_evaluation',
  title: 'Wording by customer group, January 2026',
  form: 'file',
  digest: 'sha256:2a57fc8f378a25f11a9449b4c841bda1d31fe488b5791158122108db607f895f',
  size: 184_320,
  mediaType: 'application/pdf',
  fileName: 'wording-by-customer-group.pdf',
  statement: null,
  url: null,
  state: 'available',
  disposalId: null,
  damagedAt: null,
  freshUntil: '2027-02-10T00:00:00.000Z',
  isFresh: true,
  counts: true,
  supersedesId: null,
  supersededById: null,
  newerId: null,
  sharedFromId: null,
  attachedBy: riskOwner.id,
  attachedAt: '2026-02-10T14:00:00.000Z',
  givenAt: '2026-02-10T14:00:00.000Z',
  verdict: {
    verdict: 'accepted',
    givenBy: legalMemberId,
    givenAt: '2026-02-11T09:20:00.000Z',
    note: 'Covers both jurisdictions, and the sample is large enough.',
    seats: ['legal'],
  },
}

export const newAttestation = {
  kind: 'monitoring_report',
  title: 'Samples read in the first quarter',
  statement:
    'I read 200 drafts that were sent in the first quarter. Three named a discount that we do not give.',
  freshUntil: '2026-07-01T00:00:00.000Z',
}

export const newLink = {
  kind: 'monitoring_report',
  title: 'Dashboard of complaints',
  url: 'https://reports.example.com/letters/complaints',
  statement: 'Complaints about letters, by week: two in the first quarter, both about the address.',
  freshUntil: '2026-07-01T00:00:00.000Z',
}

export const newUse = { useCaseId: '019c47da-1300-7f6d-a2c1-4b0de1f25a77' }

export const fileFields = {
  kind: evidence.kind,
  title: evidence.title,
  freshUntil: evidence.freshUntil,
  digest: evidence.digest,
}

export const judgement = { verdict: 'accepted', note: evidence.verdict.note }
