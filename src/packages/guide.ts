/** `README.txt`: all that a person needs to read a package without Assent. */
export const guide = `WHAT THIS IS

An audit package: what a register of uses of AI held at one instant, who decided what, on which evidence, and what
its log says. manifest.json tells the instant (asOf), who made the package, when (madeAt), and of what. It holds what
its maker may read, and nothing else. If "settled" is false, the instant was less than a minute old: writes may have
been under way.

IS IT WHOLE AND UNALTERED?

    sha256sum -c manifest.sha256

manifest.sha256 is the last file. If it is missing, the package was cut off; INCOMPLETE.txt may say why. "assent
package verify FILE" checks the same without unpacking, and that the records agree with the log and with each other:
no event is missing, votes and decisions say what the log says, and what a decision rests on is there.

HOW TO READ IT

Files that end in .ndjson hold one JSON object a line (UTF-8). Instants are RFC 3339, in UTC. Ids tie them together.
All is as of the instant, unless said otherwise.

    register.ndjson     use cases: facts, tier, standing with its reasons, owners; lastEventNo counts their events
    versions.ndjson     every version of the facts, by whom and why
    reviews.ndjson      rounds of review, with their stages and the lane of policy each went through; "excluded" did
                        not vote, and is as of when the package was made; "exceptions" is what was asked for
    votes.ndjson        every vote with its rationale; replaced ones, too
    decisions.ndjson    every decision, with the votes (voteIds) and evidence it rests on, and "required": each thing
                        that policy asked for, and whether it was met, became a condition, or was excepted
    exceptions.ndjson   what need not be met until an instant, with the control that compensates, and by which decision
    conditions.ndjson   obligations and limits, with who answered for each
    profiles.ndjson     what was said of controls, and which evidence it named; "counts" marks what was said last
    suspensions.ndjson  what was stopped, and by whom it was lifted
    incidents.ndjson    what went wrong, how severe it was counted, and its entries
    break-glass.ndjson  emergency openings, how each was closed, and what its review found
    delegations.ndjson  who voted for whom in these rounds, or was kept out of one as a delegate
    grants.ndjson       roles and seats: who could do what, from when until when
    evidence.ndjson     pieces of evidence; see below
    retention.ndjson    until when each piece has to be kept; the last row of a piece counts
    shortenings.ndjson  earlier ends that were proposed, and what another person said
    holds.ndjson        legal holds on these use cases or on a piece of theirs
    disposals.ndjson    what was disposed of, proposed by one and confirmed by another, with what was to be seen of it
    gate-answers.ndjson what pipelines asked, and what the gate answered
    refusals.ndjson     who was refused what on these use cases
    catalogs.ndjson     imported catalogs of controls that profiles name; those of policy lie in policies/
    events.ndjson       the log of these use cases, in order
    policies/           the policies that were in force, or that something in here names: a folder each. manifest.json
                        tells which is which (policy.named); "folder": null is a policy whose files were never kept
    evidence/           the bytes of files, each named by its SHA-256; absent if the manifest says "digests"

EVIDENCE

"digest" is the SHA-256 of the bytes. A piece counts once somebody else accepted it ("verdict", with the "seats" that
they held), until "freshUntil" or as many days after "givenAt" as a requirement allows, and until a newer accepted
piece came ("supersededById"). "content" says what could be had when the package was made: "kept"; "disposed", which
leaves the digest and a certificate, the event evidence.disposed and a row in disposals.ndjson; "quarantined" or
"rejected" by a scanner, which is never handed out; "damaged", which the store had lost or altered ("checkedAt" tells
when it last looked). manifest.json counts what is not there (evidence.withheld).

POLICIES

The digest of a policy is the SHA-256 of one line a file of its folder, as sha256sum writes it with names relative to
that folder, in the order of the names:

    cd policies/FOLDER && find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum

THE LOG

"leaf" is the entry of the log, byte for byte, in base64; it is JSON (RFC 8785). For each use case "eventNo" counts
from 1 without gaps. "sealed" holds what the entry has only hashes of: each hash is the SHA-256 of the 16 bytes of
"salt" and of the value as RFC 8785 JSON, in base64url without padding; null where it was erased. Answers of the gate
and refusals carry their entries with them: they are in logs of their own.
`
