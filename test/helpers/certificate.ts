/**
 * A certificate that vouches for itself, good until 2120, and its key. Nothing else trusts it. Its names: localhost, 127.0.0.1,
 * ::1, mail.example, hooks.example and hooks.slack.com.
 */
export const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAfRnY/iYc+AEyTu0
qDzef5p7sswqauJRysx6dcz9umOhRANCAASJatOfIotLZmySi6vyOTN4yoDXtkzO
8vUaXPcK9pMLO9iTz3EfW0g2ojqiCsANSq612Lw0O7g30uo7pigo+6bP
-----END PRIVATE KEY-----
`

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBrjCCAVWgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAx0ZXN0LmV4
YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBcxFTATBgNV
BAMMDHRlc3QuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIlq058i
i0tmbJKLq/I5M3jKgNe2TM7y9Rpc9wr2kws72JPPcR9bSDaiOqIKwA1KrrXYvDQ7
uDfS6jumKCj7ps+jgY8wgYwwWgYDVR0RBFMwUYIJbG9jYWxob3N0ggxtYWlsLmV4
YW1wbGWCDWhvb2tzLmV4YW1wbGWCD2hvb2tzLnNsYWNrLmNvbYcEfwAAAYcQAAAA
AAAAAAAAAAAAAAAAATAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBS1gMlSLjMy
jw5rWoTkDD10PsRX6zAKBggqhkjOPQQDAgNHADBEAiAvB+WBwceSByLCf/DmblCN
b9Kc/TmFENfCrN9Evf3/0wIgDhCUwyh3JRU3p1XPX9rxWYqMRUHly91pOK2TlcYZ
RLI=
-----END CERTIFICATE-----
`
