/** A decision as the log has it. The ids are those of the other examples. */
export const event = {
  id: '019c715f-58c0-75ab-96f3-4dd6eccdc6fb',
  type: 'decision.made',
  aggregate: { kind: 'use_case', id: '019c22d6-5dc0-704a-b631-617dba9e1787', no: 9 },
  recordedAt: '2026-02-18T15:30:00.000Z',
  actorId: '019bb145-cba0-76d7-89c8-164aa664b305',
  data: {
    reviewId: '019c65ad-9280-7147-857a-d2d9526f4f11',
    decisionId: '019c715f-58c0-71a3-b2ad-3f9575d17e55',
    outcome: 'approved',
    tier: 'limited',
    lane: 'limited',
    version: 2,
    materialDigest: 'sha256:40b30b4e8f0d137056ac497e859ea198c1a00db4267d1ade9c458d04024e2981',
    policy: 'sha256:7d2bbcd24e4bce4681a018b53a20194163c76f49b584ac4bd93821cd361a5446',
    validUntil: '2027-08-20T15:30:00.000Z',
  },
  sealed: { reason: '2 of 4 seats approved, 2 were needed' },
  leaf: null,
}
