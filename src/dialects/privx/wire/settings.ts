import { defaultSettings, type EngineSettings, type WrittenSettings } from '../../../access/settings.ts'
import type { MailTrial } from '../../../deliveries/try-mail-server.ts'
import { readBody } from '../../shared/members.ts'

/** Settings as they are replaced: what is left out is as it is by default, but for the password, which is kept. */
export function parseSettings(body: unknown): WrittenSettings {
  return readBody(body, (members) => {
    const password = members.text('smtp_server_password') ?? ''
    return {
      server: members.text('smtp_server') ?? '',
      port: members.integer('smtp_server_port', { max: 65_535 }) ?? 0,
      isEnabled: members.flag('smtp_server_enabled'),
      username: members.text('smtp_server_username') ?? '',
      password: password === '' ? null : password,
      protocol: members.text('smtp_server_protocol') ?? '',
      insecureVerify: members.flag('smtp_server_insecure_verify'),
      sender: members.text('smtp_sender_address') ?? '',
      retryAttempts: members.integer('smtp_retry_attempts') ?? 0,
      provider: members.text('smtp_provider') ?? '',
      authenticationMode: members.text('smtp_authentication_mode') ?? '',
      tokenEndpoint: members.text('smtp_provider_token_endpoint') ?? '',
      tokenScope: members.text('smtp_provider_token_scope') ?? '',
      backendAddress: members.text('privx_backend_address') ?? '',
      maxApprovers: members.integer('request_role_max_approvers', { min: 1 }) ?? defaultSettings.maxApprovers,
    }
  })
}

/** The password is never read back (contract privx §3.7). */
export function renderSettings(settings: EngineSettings): object {
  return {
    smtp_server: settings.server,
    smtp_server_port: settings.port,
    smtp_server_enabled: settings.isEnabled,
    smtp_server_username: settings.username,
    smtp_server_password: '',
    smtp_server_protocol: settings.protocol,
    smtp_server_insecure_verify: settings.insecureVerify,
    smtp_sender_address: settings.sender,
    smtp_retry_attempts: settings.retryAttempts,
    smtp_provider: settings.provider,
    smtp_authentication_mode: settings.authenticationMode,
    smtp_provider_token_endpoint: settings.tokenEndpoint,
    smtp_provider_token_scope: settings.tokenScope,
    privx_backend_address: settings.backendAddress,
    request_role_max_approvers: settings.maxApprovers,
  }
}

export function renderTrial({ isOk, detail }: MailTrial): object {
  return { status: isOk ? 'OK' : 'ERROR', details: detail }
}
