/** One column of the inventory that OMB M-25-21 asks of US agencies. */
export interface InventoryColumn {
  /** OMB's short name. */
  field: string
  header: string
  /** The answers of which one is to be given, or several. */
  one?: readonly string[]
  several?: readonly string[]
}

/**
 * The 36 columns of the 2025 inventory in their order, with headers and answers in OMB's own words, its slips
 * included (`in-progess`). The first two stand in OMB's consolidated file only; the others are those of the form that
 * agencies publish.
 * Source: OMB, data dictionary of the 2025 Federal Agency AI Use Case Inventory (public domain).
 */
export const inventoryColumns: readonly InventoryColumn[] = [
  { field: 'agency', header: 'agency' },
  { field: 'agency_name', header: 'agency_name' },
  { field: 'id', header: 'Use Case ID\n\n[Agency Abbrev.] – [#]' },
  { field: 'use_case_name', header: 'Use Case Name' },
  { field: 'agency_bureau', header: 'Bureau/Component' },
  { field: 'contact_email', header: 'Email Address' },
  {
    field: 'is_withheld',
    header: 'Should this AI use case be withheld from public reporting?',
    one: [
      'a) No',
      'b) Yes – agency has determined that there’s a risk to disclosure, such as a harm to an interest protected by a FOIA exemption',
      'c) Yes – disclosure is prohibited by law',
      'd) Other',
    ],
  },
  {
    field: 'development_stage',
    header: 'Stage of Development',
    one: [
      'a) Pre-deployment – The use case is in a development or acquisition status.',
      'b) Pilot – The use case has been deployed in a limited test or pilot capacity.',
      'c) Deployed – The use case is being actively authorized or utilized to support the functions or mission of an agency.',
      'd) Retired – The use case was reported in the agency’s prior year’s inventory, but its development and/or use has since been discontinued.',
    ],
  },
  {
    field: 'is_high_impact',
    header: 'Is the AI use case high-impact?',
    one: ['a) High-impact', 'b) Presumed high-impact, but determined not high impact', 'c) Not high-impact'],
  },
  { field: 'HI_justification', header: 'Justification' },
  {
    field: 'topic_area',
    header: 'Use Case Topic Area',
    one: [
      'Administrative Functions',
      'Cybersecurity',
      'Emergency Management',
      'Energy and the Environment',
      'Government Benefits Processing',
      'Health and Medical',
      'Human Resources',
      'Information Technology',
      'International Affairs',
      'Law Enforcement',
      'Other',
      'Procurement and Financial Management',
      'Science',
      'Service Delivery',
      'Transportation',
    ],
  },
  {
    field: 'classification',
    header: 'AI Classification',
    one: [
      'Agentic AI: AI systems that perform tasks or make decisions autonomously with minimal human intervention.',
      'Classical/Predictive Machine Learning: Models trained on data to make predictions or classifications based on identified patterns or relationships.',
      'Computer Vision: AI that processes and interprets visual data (e.g., images and videos).',
      'Generative AI: AI that generates new or synthetic content (e.g., images, videos, audio, text, code).',
      'Natural Language Processing: AI that processes, interprets, and shares information in human language.',
      'Reinforcement Learning: AI trained through trial and error using rewards and penalties to optimize decision-making policies.',
    ],
  },
  { field: 'problem_solved', header: 'What problem is the AI intended to solve?' },
  {
    field: 'benefits',
    header:
      'What are the expected benefits and positive outcomes from the AI for an agency’s mission and/or the general public?',
  },
  { field: 'system_outputs', header: 'Describe the AI system’s outputs.' },
  { field: 'operational_date', header: 'Date when AI use case became operational or the pilot’s start date' },
  {
    field: 'contracting_usage',
    header:
      'Was the system involved in this use case purchased from a vendor or developed under contract(s) or in-house?',
    one: [
      'a) Purchased from a vendor',
      'b) Developed in-house',
      'c) Developed with both contracting and in-house resources',
    ],
  },
  { field: 'vendor_name', header: 'Vendor(s) Name' },
  {
    field: 'have_ato',
    header: 'Does this AI use case have an associated Authorization to Operate (ATO)?',
    one: ['No', 'Yes'],
  },
  { field: 'system_name_ato', header: 'System(s) Name' },
  {
    field: 'data_description',
    header:
      'Describe any data used to  train, fine-tune, and/or  evaluate performance of the  model(s) used in this use  case.',
  },
  {
    field: 'link_to_data',
    header:
      'If the data is required to be  publicly disclosed as an  open government data asset,  provide a link to the entry on the Federal Data Catalog.',
  },
  {
    field: 'has_pii',
    header:
      'Does this AI use case  involve personally  identifiable information (PII)  that is maintained by the  agency?',
    one: ['No', 'Yes'],
  },
  {
    field: 'pia_url',
    header:
      'If publicly available, provide  the link to the AI use case’s associated Privacy Impact Assessment (PIA).',
  },
  {
    field: 'demographic_features',
    header: 'Which, if any, demographic  variables does the AI use  case explicitly use as model  features?',
    several: [
      'a) Race/Ethnicity',
      'b) Sex',
      'c) Age',
      'd) Religious Affiliation',
      'e) Socioeconomic Status',
      'f) Ability Status',
      'g) Residency Status',
      'h) Marital Status',
      'i) Income',
      'j) Employment Status',
      'k) None of the above',
      'l) Other',
    ],
  },
  {
    field: 'has_custom_code',
    header: 'Does this project include  custom-developed code?',
    one: ['No', 'Yes'],
  },
  {
    field: 'code_url',
    header: 'If the code is open source, provide the link for the  publicly available source  code.',
  },
  {
    field: 'hi_testing_conducted',
    header:
      'Has pre-deployment testing been conducted for this AI  use case? \n\n\n\n\nPractice: Complete AI Impact Assessment',
    one: [
      'a) Yes',
      'b) In-progress',
      'c) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_assessment_completed',
    header:
      'Has an AI impact assessment been completed for this AI use case? \n\n\n\nPractice: Complete AI Impact Assessment',
    one: [
      'a) Yes',
      'b) In-progress',
      'c) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_potential_impacts',
    header:
      'What are the potential  impacts of using the AI for  this particular use case and  how were they identified?    \n\n\n\nSubpractice: Complete AI  Impact Assessment',
  },
  {
    field: 'hi_independent_review',
    header:
      'Has as independent review  of the AI use case been  conducted?    \n\n\n\n\nSub practice Complete AI  Impact Assessment',
    one: [
      'a) Yes – by another appropriate agency office or reviewer not directly involved in the AI’s development',
      'b) Yes – by an agency AI oversight board not directly involved in the AI’s development',
      'c) Yes – by the CAIO',
      'd) In-progress',
      'e) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_ongoing_monitoring',
    header:
      'Is there a process to conduct\nongoing monitoring to\nidentify any adverse impacts\nto the performance and\nsecurity of the AI functionality, as well as to privacy, civil rights, and civil liberties?\n\nPractice: Conduct Ongoing Monitoring for Performance and Potential Adverse Impacts',
    one: [
      'a) Yes, sufficient monitoring protocols have been established',
      'b) Development of monitoring protocols is in-progess',
      'c) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_training_established',
    header:
      'Has the agency established sufficient and periodic  training for operators of the  AI to interpret and act on the  its output and managed associated risks?\n\n\nPractice: Ensure Adequate Human Training and Assessment',
    one: [
      'a) Yes, sufficient and periodic training has been established',
      'b) Establishment of sufficient and periodic training is in-progress',
      'c) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_failsafe_presence',
    header:
      'Does this AI use case have an appropriate fail-safe that minimizes the risk of significant harm?\n\n\n\n\n\nPractice: Provide Additional Human Oversight, Intervention, and Accountability',
    one: [
      'a) Yes',
      'b) Not applicable',
      'c) In-progress',
      'd) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_appeal_process',
    header:
      'Is there an established appeal process in the event that an impacted individual would like to appeal or  contest the AI system’s  outcome?\n\n\nPractice: Offer Consistent Remedies or Appeals',
    one: [
      'a) Yes, an appropriate appeal process has been established',
      'b) Not applicable',
      'c) Establishment of an appropriate appeal process is in-progress',
      'd) Law, operational limitations, or governmentwide guidance precludes an opportunity for an individual to appeal',
      'e) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
  {
    field: 'hi_public_consultation',
    header:
      'What steps has the agency taken to consult and incorporate feedback from end users of this AI use case and the public?\n\n\n\n\nPractice: Consult and Incorporate Feedback from End Users and the Public',
    several: [
      'a) Direct usability testing',
      'b) General solicitations of feedback and comments from the public',
      'c) Public hearings or meetings ',
      'd) Other',
      'e) In-progress',
      'f) Agency CAIO has waived this minimum practice and reported such waiver to OMB',
    ],
  },
]
