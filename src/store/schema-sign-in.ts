/** The tables of signing in: what is under way, tokens, sessions, proofs and API keys. */
export interface SignInTables {
  sign_in_flows: SignInFlowTable
  refresh_tokens: RefreshTokenTable
  single_use_tokens: SingleUseTokenTable
  sessions: SessionTable
  agent_challenges: AgentChallengeTable
  seen_proofs: SeenProofTable
  api_keys: ApiKeyTable
}

interface SignInFlowTable {
  state_hash: string
  purpose: 'login' | 'step-up'
  sealed_verifier: Uint8Array
  redirect_uri: string
  used_at: Date | null
  expires_at: Date
  created_at: Date
}

interface RefreshTokenTable {
  token_hash: string
  org_id: string
  principal_id: string
  family_id: string
  jkt: string | null
  used_at: Date | null
  revoked_at: Date | null
  expires_at: Date
  created_at: Date
}

interface SingleUseTokenTable {
  id: string
  purpose: string
  org_id: string
  principal_id: string
  expires_at: Date
}

export type SessionChannel = 'cli' | 'web' | 'agent'

interface SessionTable {
  org_id: string
  id: string
  principal_id: string
  channel: SessionChannel
  user_agent: string | null
  created_at: Date
  last_used_at: Date
  ended_at: Date | null
}

interface AgentChallengeTable {
  nonce_hash: string
  org_id: string
  principal_id: string
  used_at: Date | null
  expires_at: Date
  created_at: Date
}

interface SeenProofTable {
  org_id: string
  principal_id: string
  jti_hash: string
  expires_at: Date
}

interface ApiKeyTable {
  org_id: string
  id: string
  principal_id: string
  name: string
  secret_hash: string
  previous_hash: string | null
  previous_expires_at: Date | null
  hint: string
  scopes: string[]
  expires_at: Date
  revoked_at: Date | null
  last_used_at: Date | null
  created_by: string
  created_at: Date
}
