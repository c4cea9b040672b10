/** One thing that has to be registered. */
export interface AnnexColumn {
  /** Section and point of the annex, and the part of it where it holds several. */
  field: string
  header: string
}

/**
 * What Annex VIII of the EU AI Act has providers (section A) and deployers that are public authorities (section C)
 * of high-risk systems enter into the EU database, in our own words; the first two columns say which use case it is.
 * Source: Regulation (EU) 2024/1689, Annex VIII, sections A and C.
 */
export const annexColumns: readonly AnnexColumn[] = [
  { field: 'key', header: 'Use case' },
  { field: 'area', header: 'Annex III area' },
  { field: 'A1', header: 'A.1 Provider: name, address, contact' },
  { field: 'A2', header: 'A.2 Whoever submits for the provider: name, address, contact' },
  { field: 'A3', header: 'A.3 Authorised representative: name, address, contact' },
  { field: 'A4', header: 'A.4 Trade name, and what else identifies the system' },
  { field: 'A5', header: 'A.5 Intended purpose, and the components and functions it supports' },
  { field: 'A6', header: 'A.6 What data it uses, and how it works' },
  { field: 'A7', header: 'A.7 Status' },
  { field: 'A8', header: 'A.8 Certificate: type, number, expiry, notified body' },
  { field: 'A9', header: 'A.9 Copy of the certificate' },
  { field: 'A10', header: 'A.10 Member states' },
  { field: 'A11', header: 'A.11 EU declaration of conformity' },
  { field: 'A12', header: 'A.12 Instructions for use' },
  { field: 'A13', header: 'A.13 Address on the web with more (optional)' },
  { field: 'C1', header: 'C.1 Deployer: name, address, contact' },
  { field: 'C2', header: 'C.2 Whoever submits for the deployer: name, address, contact' },
  { field: 'C3', header: 'C.3 Findings of the fundamental rights impact assessment' },
  { field: 'C4', header: 'C.4 Address of the provider’s entry in the EU database' },
  { field: 'C5', header: 'C.5 Summary of the data protection impact assessment' },
]
