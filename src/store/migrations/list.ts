import * as engine from './0001-engine.ts'
import * as identity from './0002-identity.ts'
import * as lists from './0003-lists.ts'
import * as deliveries from './0004-deliveries.ts'
import * as keys from './0005-keys.ts'
import * as log from './0006-log.ts'
import * as voteSignatures from './0007-vote-signatures.ts'
import * as formerOwners from './0008-former-owners.ts'
import * as leafMarks from './0009-leaf-marks.ts'
import * as access from './0010-access.ts'
import * as custody from './0011-custody.ts'
import * as lightVotes from './0012-light-votes.ts'

/** Applied in the order of their names, each once. Append only; widen before you narrow. */
export const migrations = {
  '0001-engine': engine,
  '0002-identity': identity,
  '0003-lists': lists,
  '0004-deliveries': deliveries,
  '0005-keys': keys,
  '0006-log': log,
  '0007-vote-signatures': voteSignatures,
  '0008-former-owners': formerOwners,
  '0009-leaf-marks': leafMarks,
  '0010-access': access,
  '0011-custody': custody,
  '0012-light-votes': lightVotes,
}
